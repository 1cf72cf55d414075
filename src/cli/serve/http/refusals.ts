/**
 * Answers on the bare socket, where Node makes no response object: to what is no HTTP, comes too slowly, or wants a
 * tunnel. Node's own refusal would also throw away the answers to good requests that came before on the connection.
 */
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { NodeRequest, NodeResponse } from '../../../gateway/node.ts';

/** By Node's codes for what is wrong with a request; for all others 400. */
const statuses = new Map([
  ['HPE_HEADER_OVERFLOW', 431],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
]);

/** Milliseconds in which a client that was refused may read why and close. */
const LINGER = 1000;

/** What was answered so, for the log. */
export interface Refusal {
  /** Of the client; undefined: it has none, by a unix socket. */
  readonly address: string | undefined;
  /** The first line of what it sent, where that is known for sure, else ''. Each char is one byte. */
  readonly line: string;
  readonly status: number;
  /** Of the body. */
  readonly bytes: number;
  /** What is wrong, in words. */
  readonly reason: string;
  /** A proxy says by the PROXY protocol who its client is, which nobody understands here. */
  readonly isProxyProtocol: boolean;
  /** Of a request that is known, and only its body is wrong: what was to answer it. */
  readonly response: ServerResponse | null;
}

/** What Node's parser says; `rawPacket`: what was read last. */
type ParseError = NodeJS.ErrnoException & { readonly rawPacket?: Buffer };

export class Refusals {
  /** The parser complains anew of every packet that follows. */
  readonly #refused = new WeakSet<Duplex>();
  readonly #tell: (refusal: Refusal) => void;

  constructor(tell: (refusal: Refusal) => void = () => {}) {
    this.#tell = tell;
  }

  /** `responses`: all that are known of this connection, in their order; those before them are finished. */
  async refuse(socket: Socket, error: ParseError, responses: readonly ServerResponse[]): Promise<void> {
    if (this.#refused.has(socket)) return;
    this.#refused.add(socket);
    const packet = responses.length === 0 ? onlyPacket(socket, error) : null;
    // bytes after a request that was to be the last are nobody's request: the connection ends with its response
    if (error.code === 'HPE_CLOSED_CONNECTION' && responses.some((res) => !res.destroyed)) return;
    let response: ServerResponse | null = null;
    for (const res of [...responses]) {
      // it was finished while those before it were waited for
      if (res.destroyed) continue;
      if (!res.req.complete) {
        // the error is in its body, and nothing good can come after it
        if (res.headersSent) socket.destroy();
        response = res;
        break;
      }
      await new Promise((resolve) => res.once('close', resolve));
    }
    const status = statuses.get(error.code ?? '') ?? 400;
    const address = socket.remoteAddress;
    const bytes = refuseOn(socket, status);
    // a connection on which nobody has said anything is no request
    if (bytes === 0 || socket.bytesRead === 0) return;
    const line = lineIn(packet);
    const reason = error.message;
    this.#tell({
      address,
      line,
      status,
      bytes,
      reason,
      isProxyProtocol: isProxyProtocol(packet),
      response,
    });
  }

  /** Answers with `why`, if that is given, and closes; `line`, `reason`: see Refusal. */
  answer(socket: Socket, status: number, line: string, reason: string, why = ''): void {
    const address = socket.remoteAddress;
    const bytes = refuseOn(socket, status, why);
    if (bytes > 0) this.#told(address, line, status, bytes, reason);
  }

  /** The same by a response of Node's, with no more than a status. */
  answerBy(res: NodeResponse, req: NodeRequest, status: number, reason: string): void {
    res.statusCode = status;
    res.end();
    this.#told(req.socket.remoteAddress, lineOf(req), status, 0, reason);
  }

  #told(address: string | undefined, line: string, status: number, bytes: number, reason: string): void {
    this.#tell({ address, line, status, bytes, reason, isProxyProtocol: false, response: null });
  }
}

/** The request line. */
export function lineOf({ method, url, httpVersion }: NodeRequest): string {
  return `${method} ${url} HTTP/${httpVersion}`;
}

/** All that has come on the connection; null where there was more, in which the packet may begin anywhere. */
function onlyPacket({ bytesRead }: Socket, { rawPacket }: ParseError): Buffer | null {
  return rawPacket?.length === bytesRead ? rawPacket : null;
}

/** Chars of a first line that are worth keeping. */
const LONGEST_LINE = 2048;

function lineIn(packet: Buffer | null): string {
  const [line = ''] = packet?.toString('latin1', 0, LONGEST_LINE).split(/\r?\n/, 1) ?? [];
  return line;
}

/** Version 1 begins as text, version 2 as no text could. */
const proxyProtocol = /^(?:PROXY (?:TCP[46]|UNKNOWN)|\r\n\r\n\0\r\nQUIT\n)/;

function isProxyProtocol(packet: Buffer | null): boolean {
  return packet !== null && proxyProtocol.test(packet.toString('latin1', 0, 16));
}

/** Answers with no more than a status, and `why`, if that is given, and closes. Returns the bytes of the body; 0: nobody can be answered. */
function refuseOn(socket: Duplex, status: number, why = ''): number {
  // of a tunnel Node leaves the socket to us, and a reset that nobody listens for would end the process
  socket.on('error', () => {});
  if (!socket.writable) {
    socket.destroy();
    return 0;
  }
  const line = `${status} ${STATUS_CODES[status] ?? ''}`;
  const text = why === '' ? line : `${line}: ${why}`;
  const head = [
    `HTTP/1.1 ${line}`,
    `Date: ${new Date().toUTCString()}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${text.length + 1}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}\n`);
  socket.resume();
  linger(socket);
  return text.length + 1;
}

/** Closed with bytes unread, the system would send a reset, and the client might lose the answer. */
function linger(socket: Duplex): void {
  const timer = setTimeout(() => socket.destroy(), LINGER);
  socket.once('close', () => clearTimeout(timer));
}
