/**
 * The HTTP servers: they listen, or are given connections; they know these, and can end without cutting a request short.
 * This folder: connections of HTTP clients: where they are accepted, HTTPS, refusals, the end.
 */
import { createServer, type ServerResponse } from 'node:http';
import { Server, type Socket } from 'node:net';
import type { NodeRequest, NodeResponse } from '../../../gateway/node.ts';
import { lingerBehindBody } from '../../../gateway/reply/node/linger.ts';
import { hasRead, settlesWithin } from '../../delay.ts';
import type { Handler } from '../handler.ts';
import { expectations } from './expectations.ts';
import { clientHasEnded } from './half-closed.ts';
import { httpLimits } from './http-limits.ts';
import { type ListenAddress, urlOf } from './listen-address.ts';
import { listenOn } from './listen-on.ts';
import { lineOf, type Refusal, Refusals } from './refusals.ts';
import type { SecureServer } from './secure-server.ts';
import type { Certificate } from './tls.ts';

/**
 * Milliseconds that a connection without a request is kept as the server ends. A proxy in front may be sending one just now, or has the
 * last answer and not heard of the end yet: a form that met a closed socket would be lost, and answered 502. A proxy that has
 * anything to do uses it within this time, and is told by the answer that it was the last.
 */
const LAST_REQUEST = 200;

export class Listener {
  readonly #handler: Handler;
  readonly #certificate: Certificate | null;
  readonly #idleLimit: number;
  readonly #servers: Server[] = [];
  readonly #secure: SecureServer[] = [];
  /** Each connection of HTTP/1, with its last response, and those before it that are not finished. */
  readonly #connections = new Map<Socket, ServerResponse[]>();
  /** Those that have not shown yet what they speak, and those of HTTP/2. */
  readonly #others = new Set<Socket>();
  readonly #refusals: Refusals;
  #accepted = 0;
  #draining = false;
  #lastRequest = 0;
  /** Requests that come while the last connections are accepted; null: they are not put off. */
  #putOff: (() => void)[] | null = null;
  #whenEmpty: () => void = () => {};

  /**
   * Without a certificate there is no HTTPS. `refused` is told of what the handler is not asked. `idleLimit`: milliseconds that a
   * connection is kept on which nobody asks for anything; 0: no limit.
   */
  constructor(
    handler: Handler,
    certificate: Certificate | null = null,
    refused: (refusal: Refusal) => void = () => {},
    idleLimit: number = 75_000,
  ) {
    this.#handler = handler;
    this.#certificate = certificate;
    this.#idleLimit = idleLimit;
    this.#refusals = new Refusals(refused);
  }

  /** Resolves with the URLs, when all addresses are listened on; rejects, and listens nowhere, where one cannot be. */
  async listen(addresses: readonly ListenAddress[], mode: number | null = null): Promise<string[]> {
    const urls: string[] = [];
    try {
      for (const listenAddress of addresses) {
        const { tls, server } = await this.#serverFor(listenAddress);
        await listenOn(server, listenAddress, mode);
        urls.push(urlOf(listenAddress, tls, server.address()));
      }
    } catch (error) {
      this.destroy();
      throw error;
    }
    return urls;
  }

  /**
   * Serves connections that somebody else accepts: returns what takes one of each address. Nobody listens, so Node has to
   * be told when to begin to look at its time limits.
   */
  async accepting(addresses: readonly { readonly tls: boolean }[]): Promise<((socket: Socket) => void)[]> {
    const takers: ((socket: Socket) => void)[] = [];
    for (const { tls } of addresses) {
      const { server } = await this.#serverFor({ fd: 0, tls });
      server.emit('listening');
      takers.push((socket) => {
        if (this.#draining) socket.destroy();
        else server.emit('connection', withoutDelay(socket));
      });
    }
    return takers;
  }

  /** The first of those that listen at a port; null: none does. */
  get server(): Server | null {
    return this.#servers.find((server) => typeof server.address() === 'object') ?? this.#servers[0] ?? null;
  }

  /** From the next connection on. */
  renew(certificate: Certificate): void {
    for (const server of this.#secure) server.renew(certificate);
  }

  /**
   * Accepts no more than what has come by now, closes each connection when its request is answered. Resolves with whether all were,
   * within `limit` milliseconds (0: no limit); those that were not are cut.
   */
  async drain(limit: number): Promise<boolean> {
    this.#draining = true;
    this.#lastRequest = limit === 0 ? LAST_REQUEST : Math.min(LAST_REQUEST, limit / 2);
    for (const responses of this.#connections.values()) {
      for (const res of responses.filter(isUnfinished)) this.#letBeLast(res, responses);
    }
    // each answer says that the connection closes: whoever hears it comes on another one at once, which nobody would accept, and it be reset
    const putOff: (() => void)[] = [];
    this.#putOff = putOff;
    await hasRead(() => this.#accepted);
    const empty = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
    // those of HTTP would close all connections at once that have no request
    for (const server of this.#servers) Server.prototype.close.call(server);
    this.#putOff = null;
    for (const answer of putOff) answer();
    for (const server of this.#secure) server.drain(this.#lastRequest);
    for (const [socket, responses] of this.#connections) {
      if (!responses.some(isUnfinished)) this.#endIdle(socket, responses);
    }
    this.#left();
    const drained = limit === 0 ? empty.then(() => true) : settlesWithin(limit, empty);
    if (await drained) return true;
    this.destroy();
    return false;
  }

  /** Ends everything now. */
  destroy(): void {
    for (const server of this.#servers) server.close();
    for (const socket of [...this.#connections.keys(), ...this.#others]) socket.destroy();
  }

  async #serverFor(listenAddress: ListenAddress): Promise<{ tls: boolean; server: Server }> {
    const onRequest = (req: NodeRequest, res: NodeResponse): void => {
      if ('shouldKeepAlive' in res) {
        // it comes behind the end, and nobody would hear what became of it
        if (res.req.socket.writableEnded) {
          res.req.socket.destroy();
          return;
        }
        this.#track(res);
      }
      if (this.#putOff === null) this.#handler(req, res);
      else this.#putOff.push(() => !res.destroyed && this.#handler(req, res));
    };
    if (this.#certificate === null || 'path' in listenAddress || !listenAddress.tls) {
      const limits = httpLimits(this.#idleLimit);
      const server = Object.assign(createServer(limits, onRequest), limits);
      this.#prepare(server, onRequest);
      server.on('connection', (socket: Socket) => this.#opened(socket));
      return { tls: false, server };
    }
    const { SecureServer } = await import('./secure-server.ts');
    const connections = {
      opened: (socket: Socket) => this.#openedOther(withoutDelay(socket)),
      isHttp1: (socket: Socket) => this.#opened(socket),
      refuse: (socket: Socket, why: string) => this.#refusals.answer(socket, 400, '', why, why),
    };
    const secure = new SecureServer(this.#certificate, onRequest, connections, this.#idleLimit);
    this.#secure.push(secure);
    this.#prepare(secure.server, onRequest);
    return { tls: true, server: secure.server };
  }

  #prepare(server: Server, onRequest: (req: NodeRequest, res: NodeResponse) => void): void {
    this.#servers.push(server);
    Object.assign(server, { httpAllowHalfOpen: true });
    expectations(server, onRequest, (req, res, reason) => this.#refusals.answerBy(res, req, 417, reason));
    // it can be heard of nobody where it does not listen
    server.on('error', () => {});
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      void this.#refusals.refuse(socket, error, this.#connections.get(socket) ?? []);
    });
    // we are no proxy, and Node would hang up without a word
    server.on('connect', (req: NodeRequest, answer: Socket | NodeResponse) => {
      const reason = 'this server is no proxy';
      if ('statusCode' in answer) this.#refusals.answerBy(answer, req, 405, reason);
      else this.#refusals.answer(answer, 405, lineOf(req), reason);
    });
  }

  #opened(socket: Socket): void {
    const responses: ServerResponse[] = [];
    this.#accepted += 1;
    this.#connections.set(socket, responses);
    // whoever stops us waits for answers, and not for what nobody wants
    lingerBehindBody(socket, () => !this.#draining && responses.at(-1)?.req.complete === false);
    socket.once('close', () => {
      this.#connections.delete(socket);
      this.#left();
    });
    // Node does so where its own server of HTTP/1 has accepted it
    socket.allowHalfOpen = true;
    socket.once('end', () => clientHasEnded(socket, responses.filter(isUnfinished)));
    // its handshake was under way
    if (this.#draining) this.#endIdle(socket, responses);
  }

  #openedOther(socket: Socket): void {
    this.#accepted += 1;
    this.#others.add(socket);
    socket.once('close', () => {
      this.#others.delete(socket);
      this.#left();
    });
  }

  #left(): void {
    if (this.#draining && this.#connections.size === 0 && this.#others.size === 0) this.#whenEmpty();
  }

  /** Without a listener, which each request would pay for: who wants to know looks which are finished. */
  #track(res: ServerResponse): void {
    const responses = this.#connections.get(res.req.socket) ?? [];
    while (responses[0]?.destroyed) responses.shift();
    responses.push(res);
    if (this.#draining) this.#letBeLast(res, responses);
  }

  #letBeLast(res: ServerResponse, responses: readonly ServerResponse[]): void {
    const { socket } = res.req;
    // its head has promised to keep the connection
    const isPromised = res.headersSent && res.shouldKeepAlive;
    res.shouldKeepAlive = false;
    res.once('close', () => {
      if (responses.some(isUnfinished)) return;
      if (isPromised) this.#endIdle(socket, responses);
      else socket.destroySoon();
    });
  }

  #endIdle(socket: Socket, responses: readonly ServerResponse[]): void {
    const end = (): void => {
      if (!responses.some(isUnfinished)) socket.destroySoon();
    };
    // what has come by then is read first
    const timer = setTimeout(() => setImmediate(end), this.#lastRequest);
    socket.once('close', () => clearTimeout(timer));
  }
}

/**
 * Node's server of HTTP does so with what it accepts itself. Else the second part of a page waits until the client has acknowledged the
 * first, for which Linux takes 40 ms.
 */
function withoutDelay(socket: Socket): Socket {
  return socket.setNoDelay();
}

/** Node calls a response destroyed when it emits 'close', however it ended. */
function isUnfinished(res: ServerResponse): boolean {
  return !res.destroyed;
}
