/** HTTPS: HTTP/2 and HTTP/1.1 at one port, whichever the client chooses. Loaded only where there is a certificate. */
import {
  createSecureServer,
  type Http2SecureServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { errorCode } from '../../../errors.ts';
import type { Handler } from '../handler.ts';
import { httpLimits } from './http-limits.ts';
import type { Certificate } from './tls.ts';

/** Milliseconds for a TLS handshake, then the connection is closed: nobody is to hold one for nothing. */
const HANDSHAKE_LIMIT = 20_000;

/** As nginx's http2_max_concurrent_streams. */
const MAX_STREAMS = 128;

/**
 * Fields of a request's head. Node's own limit is 128, and each cookie is a field of its own here, of which browsers keep up to 180 for
 * a host. Their bytes are limited in any case, to fewer than so many.
 */
const MAX_FIELDS = 2048;

/** By ALPN, the best first. HTTP/1.0 as well, as with nginx: who offers nothing else, as `curl -0` does, could not connect at all. */
const PROTOCOLS: readonly string[] = ['h2', 'http/1.1', 'http/1.0'];

interface Connections {
  /** TCP is there, TLS is not. */
  readonly opened: (socket: Socket) => void;
  readonly isHttp1: (socket: TLSSocket) => void;
  /** Of a client that does not speak TLS. */
  readonly refuse: (socket: Socket, why: string) => void;
}

export class SecureServer {
  readonly server: Http2SecureServer;
  readonly #sessions = new Set<ServerHttp2Session>();
  /** Raw ones, by the client's address and port. */
  readonly #sockets = new Map<string, Socket>();
  readonly #handshaking = new Set<string>();
  /** Milliseconds; null: it goes on. */
  #lastRequest: number | null = null;

  /** `idleLimit`: milliseconds; 0: none. */
  constructor(certificate: Certificate, handler: Handler, connections: Connections, idleLimit: number) {
    const server = createSecureServer(
      {
        ...certificate,
        allowHTTP1: true,
        ALPNCallback: ({ protocols }) => PROTOCOLS.find((one) => protocols.includes(one)),
        handshakeTimeout: HANDSHAKE_LIMIT,
        maxHeaderListPairs: MAX_FIELDS,
        settings: { maxConcurrentStreams: MAX_STREAMS },
      },
      handler,
    );
    // for the connections of HTTP/1
    Object.assign(server, httpLimits(idleLimit));
    server.prependListener('secureConnection', (socket) => {
      // by its name alone Node would not know it
      if (socket.alpnProtocol === 'http/1.0') socket.alpnProtocol = 'http/1.1';
    });
    server.on('connection', (socket: Socket) => {
      const client = keyOf(socket);
      this.#sockets.set(client, socket);
      this.#handshaking.add(client);
      socket.once('close', () => {
        if (this.#sockets.get(client) !== socket) return;
        this.#sockets.delete(client);
        this.#handshaking.delete(client);
      });
      connections.opened(socket);
    });
    server.on('secureConnection', (socket) => {
      this.#handshaking.delete(keyOf(socket));
      if (socket.alpnProtocol !== 'h2') connections.isHttp1(socket);
    });
    server.on('tlsClientError', (error, socket) => {
      // who has typed http:// would see nothing but a connection that ends
      const raw = errorCode(error) === 'ERR_SSL_HTTP_REQUEST' ? this.#sockets.get(keyOf(socket)) : undefined;
      if (raw) connections.refuse(raw, 'this port speaks HTTPS');
    });
    server.prependListener('stream', endWithBody);
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
      const client = keyOf(session.socket);
      // it waits for what it has written to be taken, before it closes its socket
      endWhenIdle(session, idleLimit, () => this.#sockets.get(client)?.destroy());
      if (this.#lastRequest !== null) endBehindFirst(session, this.#lastRequest);
    });
    this.server = server;
  }

  renew(certificate: Certificate): void {
    this.server.setSecureContext({ ...certificate });
  }

  /**
   * Sessions end when their streams have. Whose handshake is under way may finish it within `lastRequest` milliseconds, and has as many
   * again for a request: it may be on its way behind the handshake, and whoever is accepted without TLS has it answered as well.
   */
  drain(lastRequest: number): void {
    this.#lastRequest = lastRequest;
    for (const session of this.#sessions) session.close();
    if (this.#handshaking.size === 0) return;
    whenRead(lastRequest, () => {
      for (const client of this.#handshaking) this.#sockets.get(client)?.destroy();
    });
  }
}

/**
 * Node's response holds the end of a stream back for trailers, of which there are none here, and says it in an empty frame of its own.
 * HAProxy 2.6 has sent the last bytes of a Content-Length by then as those that more will follow, and Linux keeps such for 200 ms.
 */
function endWithBody(stream: ServerHttp2Stream): void {
  const { respond } = stream;
  stream.respond = (headers, options) =>
    respond.call(stream, headers, { ...options, waitForTrailers: false });
}

/** A session that has come as the server ends: what it asks for first is answered. */
function endBehindFirst(session: ServerHttp2Session, lastRequest: number): void {
  const timer = whenRead(lastRequest, () => session.close());
  session.once('close', () => clearTimeout(timer));
  // with all that has come together with it
  session.once('stream', () => setImmediate(() => session.close()));
}

/** In `duration` milliseconds, behind what has come by then. */
function whenRead(duration: number, act: () => void): NodeJS.Timeout {
  return setTimeout(() => setImmediate(act), duration);
}

/**
 * Node would keep a session for ever, also one whose client has vanished while it was sent something: before Node 26 it does not
 * look for the end of a connection on which its own bytes wait. Streams that wait for PHP have limits of their own.
 */
function endWhenIdle(session: ServerHttp2Session, limit: number, cut: () => void): void {
  const open = new Set<ServerHttp2Stream>();
  session.on('stream', (stream) => {
    open.add(stream);
    stream.once('close', () => open.delete(stream));
  });
  session.setTimeout(limit);
  session.on('timeout', () => {
    if (open.size === 0) session.close();
    else if ([...open].some(isStuck)) cut();
  });
}

/** Its client has not taken what is there for it, or not even that it is over. */
function isStuck({ closed, writableLength }: ServerHttp2Stream): boolean {
  return closed || writableLength > 0;
}

/** Both sockets of a connection have it, the raw one and the one of TLS. */
function keyOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localPort}`;
}
