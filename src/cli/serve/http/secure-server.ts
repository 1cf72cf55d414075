/** HTTPS: HTTP/2 and HTTP/1.1 at one port, whichever the client chooses. Loaded only where there is a certificate. */
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Handler } from '../handler.ts';
import { httpLimits, IDLE_LIMIT } from './http-limits.ts';
import type { Certificate } from './tls.ts';

/** Milliseconds for a TLS handshake, then the connection is closed: nobody is to hold one for nothing. */
const HANDSHAKE_LIMIT = 20_000;

/** As nginx's http2_max_concurrent_streams. */
const MAX_STREAMS = 128;

interface Connections {
  /** TCP is there, TLS is not. */
  readonly opened: (socket: Socket) => void;
  readonly isHttp1: (socket: TLSSocket) => void;
}

export class SecureServer {
  readonly server: Http2SecureServer;
  readonly #sessions = new Set<ServerHttp2Session>();
  /** By the client's address and port. */
  readonly #handshaking = new Map<string, Socket>();
  #draining = false;

  /** `idleLimit`: milliseconds. */
  constructor(
    certificate: Certificate,
    handler: Handler,
    connections: Connections,
    idleLimit: number = IDLE_LIMIT,
  ) {
    const server = createSecureServer(
      {
        ...certificate,
        allowHTTP1: true,
        handshakeTimeout: HANDSHAKE_LIMIT,
        settings: { maxConcurrentStreams: MAX_STREAMS },
      },
      handler,
    );
    // for the connections of HTTP/1
    Object.assign(server, httpLimits);
    server.on('connection', (socket: Socket) => {
      const client = keyOf(socket);
      this.#handshaking.set(client, socket);
      socket.once('close', () => {
        if (this.#handshaking.get(client) === socket) this.#handshaking.delete(client);
      });
      connections.opened(socket);
    });
    server.on('secureConnection', (socket) => {
      this.#handshaking.delete(keyOf(socket));
      if (socket.alpnProtocol !== 'h2') connections.isHttp1(socket);
    });
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
      endWhenIdle(session, idleLimit);
      if (this.#draining) session.close();
    });
    this.server = server;
  }

  renew(certificate: Certificate): void {
    this.server.setSecureContext({ ...certificate });
  }

  /** Sessions end when their streams have; who has not finished the handshake has asked for nothing. */
  drain(): void {
    this.#draining = true;
    for (const session of this.#sessions) session.close();
    for (const socket of this.#handshaking.values()) socket.destroy();
  }
}

/** Node would keep a session for ever. Streams that are open have limits of their own. */
function endWhenIdle(session: ServerHttp2Session, limit: number): void {
  let open = 0;
  session.on('stream', (stream) => {
    open += 1;
    stream.once('close', () => {
      open -= 1;
    });
  });
  session.setTimeout(limit);
  session.on('timeout', () => {
    if (open === 0) session.close();
  });
}

/** Both sockets of a connection have it, the raw one and the one of TLS. */
function keyOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localPort}`;
}
