/** One attempt to connect; trying again is the pool's affair. Errors of Node become ours here and nowhere else. */
import { stat } from 'node:fs/promises';
import { connect as netConnect } from 'node:net';
import { ConnectError, errorCode, isError } from '../../errors.ts';
import type { Clock } from '../clock.ts';
import type { SocketNames, TcpSockets, Unacknowledged } from '../evidence/acknowledged.ts';
import type { Target } from './address.ts';
import { endpointOfPath } from './endpoint.ts';
import type { ReadBuffer, SocketInput } from './read-buffer.ts';
import type { ConnectionSocket } from './socket.ts';

export interface Connected {
  readonly socket: ConnectionSocket;
  readonly incoming: SocketInput;
  /** The server that it leads to, among those that the address has had: see endpoint.ts. Without it there is but one. */
  readonly endpoint?: string;
  /** What the handshake took in ms, 0 on a unix socket: the unit in which waits for the peer's kernel are counted. */
  readonly roundTrip: number;
  /** The other end is on this machine: no firewall or load balancer in between cuts the connection. */
  readonly isLocal: boolean;
  /** tcp: how much of what was sent has the kernel at the other end not taken? Without it nobody knows. */
  readonly unacknowledged?: (() => Promise<Unacknowledged>) | undefined;
  /**
   * tcp: may the kernel of the other end have reset what a dead process left, since `sentAt` (ms, monotonic)? Without it nobody
   * knows, as of another machine.
   */
  readonly hasResetOrphans?: ((sentAt: number) => Promise<boolean>) | undefined;
  /**
   * tcp to another machine: may our kernel have sent something twice since `sentAt` (ms, monotonic)? Without it nobody asks.
   */
  readonly hasRetransmitted?: ((sentAt: number) => Promise<boolean>) | undefined;
  /** A worker has it: it has answered FCGI_GET_VALUES. Without it nobody knows yet. */
  readonly isAccepted?: true | undefined;
  /** ms, by the pool's clock: when it was opened, where a worker had to be waited for since. */
  readonly openedAt?: number;
}

export interface ConnectOptions {
  /** ms; 0: none. */
  readonly timeout: number;
  readonly clock: Clock;
  readonly readBuffer: ReadBuffer;
  readonly tcpSockets: TcpSockets;
  readonly signal: AbortSignal;
}

export type Connect = (target: Target, options: ConnectOptions) => Promise<Connected>;

/**
 * The server may be back in a moment: it restarts (refused, no socket), its host or container does (EHOSTUNREACH: it cannot be found on
 * its network), or its backlog is full (EAGAIN on a unix socket).
 */
const PASSING = new Set([
  'ECONNREFUSED',
  'ENOENT',
  'EAGAIN',
  'ECONNRESET',
  'EAI_AGAIN',
  'ECONNABORTED',
  'EHOSTUNREACH',
  'EHOSTDOWN',
]);

/** This machine is short of something for the moment; the server has no part in it. */
const LOCAL_SHORTAGE = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']);

/**
 * Opens one socket, half-open allowed: after the server's FIN our probes must still be written.
 * Rejects with the signal's reason, or a ConnectError: FCGI_ERR_CONNECT_TIMEOUT after `timeout` ms (0: none), else
 * FCGI_ERR_CONNECT with Node's error as its cause.
 */
export const connect: Connect = (target, { timeout, clock, readBuffer, tcpSockets, signal }) => {
  const { promise, resolve, reject } = deferred<Connected>();
  if (signal.aborted) return Promise.reject(signal.reason);
  const begun = clock.now();
  const incoming = readBuffer.open();
  const { onread } = incoming;
  const socket =
    target.transport === 'unix'
      ? netConnect({ path: target.path, allowHalfOpen: true, onread })
      : netConnect({ host: target.host, port: target.port, allowHalfOpen: true, noDelay: true, onread });
  const late = (): void => fail(timedOut(target, timeout));
  const cancel = timeout > 0 ? clock.after(timeout, late) : ignore;
  const aborted = (): void => fail(signal.reason);
  const fail = (error: unknown): void => {
    settle();
    socket.on('error', ignore).destroy();
    reject(error);
  };
  const failed = (error: NodeJS.ErrnoException): void => fail(refused(target, error));
  const settle = (): void => {
    cancel();
    signal.removeEventListener('abort', aborted);
    socket.off('error', failed);
  };
  signal.addEventListener('abort', aborted);
  socket.once('error', failed);
  socket.once('connect', () => {
    settle();
    if (target.transport === 'unix') {
      const endpoint = endpointOfPath(target.path);
      resolve({ socket, incoming, endpoint, roundTrip: 0, isLocal: true });
      return;
    }
    if (meetsItself(socket)) {
      fail(refused(target, Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })));
      return;
    }
    // it has them no more once it is reset
    const { localPort, remotePort, localAddress, remoteAddress } = socket;
    resolve({
      socket,
      incoming,
      endpoint: remoteAddress ?? '',
      roundTrip: clock.now() - begun,
      isLocal: localAddress === remoteAddress,
      unacknowledged: () => tcpSockets.unacknowledged({ localAddress, localPort, remoteAddress, remotePort }),
    });
  });
  return promise;
};

/**
 * Where nothing listens at a port of this machine that the kernel also takes for outgoing connections, one of them gets that very port
 * in the end, and TCP connects it to itself. We would hear our own request, and php-fpm could not come back: the port is in use.
 */
export function meetsItself({ localPort, remotePort, localAddress, remoteAddress }: SocketNames): boolean {
  return remotePort !== undefined && localPort === remotePort && localAddress === remoteAddress;
}

/**
 * Worth another try within connectTimeout? `known`: there was a connection before. Then the name was right, and a container that restarts
 * has none meanwhile.
 */
export function isPassing(error: unknown, known: boolean): boolean {
  if (!(error instanceof ConnectError)) return false;
  const code = codeOf(error.cause);
  return PASSING.has(code) || (known && code === 'ENOTFOUND');
}

/** Worth waiting for, and no fault of the server's? */
export function isLocalShortage(error: unknown): boolean {
  return error instanceof ConnectError && LOCAL_SHORTAGE.has(codeOf(error.cause));
}

/** Says what stands at the address where it cannot be a listening socket; '' where it can. */
export async function notASocket(target: Target): Promise<string> {
  if (target.transport === 'tcp') return '';
  try {
    const found = await stat(target.path);
    if (found.isSocket()) return '';
    return `${target.path} is ${found.isDirectory() ? 'a directory' : 'a file'}, not a socket`;
  } catch {
    return '';
  }
}

export function timedOut(target: Target, timeout: number, cause?: unknown): ConnectError {
  const message = `no connection to ${target.name} within ${timeout} ms`;
  const hint = connectHint(cause === undefined ? 'ETIMEDOUT' : codeOf(causeOf(cause)), target);
  return new ConnectError('FCGI_ERR_CONNECT_TIMEOUT', message, {
    cause,
    facts: { phase: 'connecting', hint },
  });
}

function refused(target: Target, error: NodeJS.ErrnoException): ConnectError {
  const code = codeOf(error);
  return new ConnectError('FCGI_ERR_CONNECT', `cannot connect to ${target.name}: ${code}`, {
    cause: error,
    facts: { phase: 'connecting', hint: connectHint(code, target) },
  });
}

/** What to do about it, by the code of the error; '' where nothing is known. */
export function connectHint(code: string, target: Target): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing listens at this address: is php-fpm running?';
    case 'ENOENT':
      return 'there is no such socket: is php-fpm running, and is `listen` in its pool the same path?';
    case 'EACCES':
    case 'EPERM':
      return (
        'no permission to connect: see `listen.owner`, `listen.group` and `listen.mode` (or `listen.acl_users`) of the php-fpm pool, ' +
        "and whether this process's user may enter the folder of the socket"
      );
    case 'EAGAIN':
      return 'the backlog of php-fpm is full: see `listen.backlog`, `pm.max_children` and net.core.somaxconn';
    case 'EMFILE':
      return 'this process has no file descriptor left: see `ulimit -n` (systemd: LimitNOFILE)';
    case 'ENFILE':
      return 'this machine has no file descriptor left: see fs.file-max';
    case 'EADDRNOTAVAIL':
      return 'no local port is left: see net.ipv4.ip_local_port_range, or use a unix socket';
    case 'ENOBUFS':
    case 'ENOMEM':
      return 'the kernel of this machine is short of memory for sockets';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name ${target.transport === 'tcp' ? target.host : target.name} does not resolve`;
    case 'ENOTDIR':
      return 'a part of the path is a file, and no folder: is `listen` in the php-fpm pool the same path?';
    case 'ELOOP':
      return 'the path is a link that leads back to itself';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'there is no way to this host: is the address right, and is the host up?';
    case 'ETIMEDOUT':
      return 'the host does not answer: is the address right, is the host up, and does every firewall let this one through?';
    default:
      return '';
  }
}

function causeOf(error: unknown): unknown {
  return error instanceof ConnectError ? error.cause : error;
}

function codeOf(error: unknown): string {
  // Several addresses tried in turn fail as one AggregateError. Where one of them may be back, so may the server: that another,
  // of IPv6 mostly, leads nowhere is no news.
  const all: unknown = isError(error) && 'errors' in error ? error.errors : null;
  const codes = (Array.isArray(all) && all.length > 0 ? all : [error]).map(errorCode);
  return codes.find((code) => PASSING.has(code)) || codes[0] || 'unknown error';
}

function ignore(): void {}

function deferred<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (reason: unknown) => void;
} {
  let resolve: (value: T) => void = ignore;
  let reject: (reason: unknown) => void = ignore;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
