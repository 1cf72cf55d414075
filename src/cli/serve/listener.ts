/**
 * The HTTP servers: they listen, know their connections, and can end without cutting a request short.
 * This folder: the HTTP server of `serve`: listening, its log, its stop.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { atMost } from '../pause.ts';
import type { Handler } from './handler.ts';
import { listenOn, type Place } from './listen-on.ts';
import { Refusals, refuseOn } from './refusals.ts';

export class Listener {
  readonly #handler: Handler;
  readonly #servers: Server[] = [];
  /** Each connection, with the responses that are not finished on it. */
  readonly #connections = new Map<Socket, Set<ServerResponse>>();
  readonly #refusals = new Refusals();
  #draining = false;

  constructor(handler: Handler) {
    this.#handler = handler;
  }

  /** Resolves with the URLs, when all places are listened at; rejects, and listens nowhere, where one cannot be. */
  async listen(places: readonly Place[]): Promise<string[]> {
    const urls: string[] = [];
    try {
      for (const place of places) urls.push(await this.#listenOn(place));
    } catch (error) {
      this.cut();
      throw error;
    }
    return urls;
  }

  /**
   * Accepts no more, closes each connection when its request is answered. Resolves with whether all were, within
   * `limit` milliseconds (0: no limit); those that were not are cut.
   */
  async drain(limit: number): Promise<boolean> {
    this.#draining = true;
    const closed = Promise.all(
      this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
    );
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
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
  }

  async #listenOn(place: Place): Promise<string> {
    // An upload may take longer than Node's 5 minutes for a whole request. Its head may not: with the one limit Node
    // drops the other, unless it is told.
    const server = createServer({ requestTimeout: 0, headersTimeout: 60_000 }, (req, res) => {
      this.#track(req, res);
      this.#handler(req, res);
    });
    server.on('connection', (socket: Socket) => {
      this.#connections.set(socket, new Set());
      socket.once('close', () => this.#connections.delete(socket));
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      void this.#refusals.refuse(socket, error, this.#connections.get(socket) ?? new Set());
    });
    // we are no proxy, and Node would hang up without a word
    server.on('connect', (_req, socket) => refuseOn(socket, 405));
    await listenOn(server, place);
    this.#servers.push(server);
    if ('path' in place) return `unix:${place.path}`;
    const name = place.host.includes(':') ? `[${place.host}]` : place.host;
    return `http://${name}:${(server.address() as AddressInfo).port}`;
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
