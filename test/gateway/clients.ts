/** Clients of a server, of HTTP/1, HTTP/2 or none at all, behind one face. */
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { Readable } from 'node:stream';

export interface Ask {
  readonly path: string;
  /** Default GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A buffer goes with its Content-Length, a list of pieces without. */
  readonly body?: Buffer | readonly Buffer[];
}

/** A response whose body is still to be read. */
export interface Opened {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable;
  /** The client goes. */
  leave(): void;
}

export interface Client {
  /** Rejects where no head comes. */
  open(ask: Ask): Promise<Opened>;
  /** Sends a request and goes without an answer, once `until` is there. */
  leaveAfter(ask: Ask, until: Promise<unknown>): Promise<void>;
  close(): Promise<void>;
}

/** A key known to both ends needs no certificate. */
const psk = { psk: Buffer.from('00112233445566778899aabbccddeeff', 'hex'), identity: 'test' };
const tls = { ciphers: 'PSK', maxVersion: 'TLSv1.2' } as const;

export function httpsServer(listener: http.RequestListener): https.Server {
  return https.createServer({ ...tls, pskCallback: () => psk.psk }, listener);
}

const asHttpsClient = { ...tls, pskCallback: () => psk, checkServerIdentity: () => undefined } as const;

async function portOf(server: Server): Promise<number> {
  if (!server.listening) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  return (server.address() as AddressInfo).port;
}

export async function overHttp1(server: http.Server | https.Server): Promise<Client> {
  const port = await portOf(server);
  const isTls = server instanceof https.Server;

  const send = ({ path, method = 'GET', headers = {}, body }: Ask): http.ClientRequest => {
    const length = Buffer.isBuffer(body) ? { 'Content-Length': body.length } : {};
    const all = { ...length, ...headers };
    const to = { port, host: '127.0.0.1', path, method, headers: all, agent: false } as const;
    const request = isTls ? https.request({ ...to, ...asHttpsClient }) : http.request(to);
    // the answer counts, also where the server refuses to take the rest of the body
    request.on('error', () => {});
    for (const piece of Buffer.isBuffer(body) ? [body] : (body ?? [])) request.write(piece);
    request.end();
    return request;
  };
  return {
    async open(ask) {
      const request = send(ask);
      const [response] = (await Promise.race([
        once(request, 'response'),
        once(request, 'close').then(() => Promise.reject(new Error('closed without a head'))),
      ])) as [http.IncomingMessage];
      return {
        status: response.statusCode ?? 0,
        headers: response.headers,
        body: response,
        leave: () => request.destroy(),
      };
    },
    async leaveAfter(ask, until) {
      const request = send(ask);
      await until;
      request.destroy();
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export async function overHttp2(server: http2.Http2Server): Promise<Client> {
  const session = http2.connect(`http://127.0.0.1:${await portOf(server)}`);

  const send = ({ path, method = 'GET', headers = {}, body }: Ask): http2.ClientHttp2Stream => {
    const length = Buffer.isBuffer(body) ? { 'content-length': body.length } : {};
    const stream = session.request(
      { ':path': path, ':method': method, ...length, ...headers },
      { endStream: body === undefined },
    );
    stream.on('error', () => {});
    if (body !== undefined) {
      for (const piece of Buffer.isBuffer(body) ? [body] : body) stream.write(piece);
      stream.end();
    }
    return stream;
  };
  return {
    async open(ask) {
      const stream = send(ask);
      const [head] = (await Promise.race([
        once(stream, 'response'),
        once(stream, 'close').then(() => Promise.reject(new Error('closed without a head'))),
      ])) as [http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader];
      const leave = (): void => stream.close(http2.constants.NGHTTP2_CANCEL);
      return { status: head[':status'] ?? 0, headers: head, body: stream, leave };
    },
    async leaveAfter(ask, until) {
      const stream = send(ask);
      await until;
      stream.close(http2.constants.NGHTTP2_CANCEL);
    },
    async close() {
      session.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Without a server. */
export function direct(handler: (request: Request) => Promise<Response>): Client {
  const made = ({ path, method = 'GET', headers = {}, body }: Ask, signal: AbortSignal): Request => {
    const length = Buffer.isBuffer(body) ? { 'content-length': String(body.length) } : {};
    return new Request(`http://127.0.0.1${path}`, {
      method,
      headers: { ...length, ...headers },
      signal,
      ...(body === undefined ? {} : { body: Buffer.isBuffer(body) ? body : streamOf(body), duplex: 'half' }),
    });
  };
  return {
    async open(ask: Ask) {
      const gone = new AbortController();
      const response = await handler(made(ask, gone.signal));
      const headers: Record<string, string | string[]> = Object.fromEntries(response.headers);
      const cookies = response.headers.getSetCookie();
      if (cookies.length > 0) headers['set-cookie'] = cookies;
      return {
        status: response.status,
        headers,
        body: response.body ? Readable.fromWeb(response.body) : Readable.from([]),
        leave: () => gone.abort(),
      };
    },
    async leaveAfter(ask: Ask, until: Promise<unknown>) {
      const gone = new AbortController();
      const failed = handler(made(ask, gone.signal)).catch(() => {});
      await until;
      gone.abort();
      await failed;
    },
    close: () => Promise.resolve(),
  };
}

function streamOf(pieces: readonly Buffer[]): ReadableStream<Uint8Array> {
  const left = [...pieces];
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = left.shift();
      if (piece) controller.enqueue(piece);
      else controller.close();
    },
  });
}
