/** The HTTP server: listens, knows its connections, and can end without cutting a request short. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { HostPort } from '../args/values.ts';
import { atMost } from '../pause.ts';
import { Refusals, refuseOn } from './refusals.ts';
import type { Handler } from './site.ts';

export class Listener {
  readonly #server: Server;
  /** Each connection, with the responses that are not finished on it. */
  readonly #connections = new Map<Socket, Set<ServerResponse>>();
  readonly #refusals = new Refusals();
  #draining = false;

  constructor(handler: Handler) {
    // An upload may take longer than Node's 5 minutes for a whole request. Its head may not: with the one limit Node
    // drops the other, unless it is told.
    this.#server = createServer({ requestTimeout: 0, headersTimeout: 60_000 }, (req, res) => {
      this.#track(req, res);
      handler(req, res);
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#connections.set(socket, new Set());
      socket.once('close', () => this.#connections.delete(socket));
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      void this.#refusals.refuse(socket, error, this.#connections.get(socket) ?? new Set());
    });
    // we are no proxy, and Node would hang up without a word
    this.#server.on('connect', (_req, socket) => refuseOn(socket, 405));
  }

  /** Resolves with the URL. */
  listen({ host, port }: HostPort): Promise<string> {
    const name = host.includes(':') ? `[${host}]` : host;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        reject(new Error(`cannot listen on ${name}:${port}: ${whyNot(error)}`));
      });
      this.#server.listen({ host, port }, () => {
        resolve(`http://${name}:${(this.#server.address() as AddressInfo).port}`);
      });
    });
  }

  /**
   * Accepts no more, closes each connection when its request is answered. Resolves with whether all were, within
   * `limit` milliseconds (0: no limit); those that were not are cut.
   */
  async drain(limit: number): Promise<boolean> {
    this.#draining = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const [socket, unfinished] of this.#connections) {
      for (const res of unfinished) res.shouldKeepAlive = false;
      if (unfinished.size === 0) socket.destroy();
    }
    const drained = limit === 0 ? closed.then(() => true) : atMost(limit, closed);
    if (await drained) return true;
    this.cut();
    return false;
  }

  /** Ends everything now. */
  cut(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #track(req: IncomingMessage, res: ServerResponse): void {
    const { socket } = req;
    const unfinished = this.#connections.get(socket);
    unfinished?.add(res);
    if (this.#draining) res.shouldKeepAlive = false;
    res.once('close', () => {
      unfinished?.delete(res);
      // A response whose head was out before the signal has promised to keep the connection.
      if (this.#draining && unfinished?.size === 0) socket.destroySoon();
    });
  }
}

function whyNot(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'the port is in use';
    case 'EACCES':
      return 'no permission (ports below 1024 are for root)';
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host is no address of this machine';
    default:
      return error.message;
  }
}
