/**
 * One line a request, in the format nginx calls `combined`:
 * `127.0.0.1 - - [23/Nov/2026:06:54:31 +0000] "GET /a HTTP/1.1" 200 512 "-" "curl/7.88.1"`
 * or as JSON, with the seconds it took and what PHP-FPM did. The bytes are those of the body as it was sent. 499 is a client that left before
 * there was a head. Lines are buffered: to write each by itself would cost more than to serve a file.
 * This folder: the access log, and what PHP complains of.
 */
import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import type { NodeRequest, NodeResponse } from '../../../gateway/node.ts';
import type { EndInfo } from '../../../gateway/reply/outcome.ts';
import { original, TrustedProxies } from '../../../gateway/request/proxies.ts';
import type { Handler } from '../handler.ts';
import { clfDate } from './clf-date.ts';
import { phpFields } from './php-fields.ts';

export interface AccessLogOptions {
  readonly logFormat: 'combined' | 'json';
}

/** Bytes of lines that may wait. A reader that stalls must not fill our memory, nor stop the service. */
const MAX_WAITING = 1024 * 1024;
/** Milliseconds. */
const GATHER = 50;
/** As the gateway's own default. */
const heard: ReadonlySet<string> = new Set(['x-forwarded-for', 'x-forwarded-proto']);
/** Chars. */
const MAX_BUFFERED = 32_768;

export class AccessLog {
  readonly #out: Writable;
  readonly #isJson: boolean;
  readonly #now: () => Date;
  /** How the requests that PHP had have ended. */
  readonly #ended = new WeakMap<object, EndInfo>();
  #buffer = '';
  #timer: NodeJS.Timeout | null = null;
  #dropped = 0;
  /** Of the latest second, and its text. */
  #second = 0;
  #date = '';

  constructor(out: Writable, options: AccessLogOptions, now: () => Date = () => new Date()) {
    this.#out = out;
    this.#isJson = options.logFormat === 'json';
    this.#now = now;
  }

  /** `handler`, with a line for each of its requests; what PHP sees as REMOTE_ADDR behind `trustedProxies` is logged. */
  around(handler: Handler, trustedProxies: readonly string[] = []): Handler {
    const proxies = trustedProxies.length === 0 ? null : new TrustedProxies(trustedProxies);
    return (req, res) => {
      const began = this.#isJson ? performance.now() : 0;
      // a socket that is closed has no address any more
      const client = clientOf(req, proxies);
      const sent = sentBytes(res);
      res.once('close', () => {
        const bytes = sent();
        const status = res.headersSent ? res.statusCode : 499;
        if (!this.#isJson) this.#add(this.#combined(req, client, status, bytes));
        // where the client has left it is told of how the request ended after this
        else setImmediate(() => this.#add(this.#json(req, client, status, bytes, began)));
      });
      handler(req, res);
    };
  }

  /** Of a request that was given to PHP; the gateway's `onEnd`. */
  ended(info: EndInfo, req: object): void {
    if (this.#isJson) this.#ended.set(req, info);
  }

  /** Lines that another process has made. */
  lines(lines: string): void {
    this.#add(lines);
  }

  /** Writes what is buffered. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const lines = this.#buffer;
    this.#buffer = '';
    if (lines === '') return;
    if (this.#out.destroyed || this.#out.writableLength > MAX_WAITING) {
      this.#dropped += lines.split('\n').length - 1;
      return;
    }
    const lost = this.#dropped;
    this.#dropped = 0;
    this.#out.write(lost === 0 ? lines : `- ${lost} lines lost: nobody read this log\n${lines}`);
  }

  #add(line: string): void {
    this.#buffer += line;
    if (this.#buffer.length > MAX_BUFFERED) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), GATHER);
  }

  #combined(req: NodeRequest, client: string, status: number, bytes: number): string {
    const { headers, method, url, httpVersion } = req;
    const request = `${method} ${url} HTTP/${httpVersion}`;
    return (
      `${client} - ${escaped(userIn(headers.authorization))} [${this.#time()}] "${escaped(request)}" ${status} ${bytes} ` +
      `"${escaped(headers.referer ?? '-')}" "${escaped(headers['user-agent'] ?? '-')}"\n`
    );
  }

  #json(req: NodeRequest, client: string, status: number, bytes: number, began: number): string {
    const { headers, method, url, httpVersion } = req;
    const user = userIn(headers.authorization);
    const line = {
      time: this.#now().toISOString(),
      remote_addr: client,
      ...(user === '-' ? {} : { remote_user: user }),
      method,
      uri: url,
      protocol: `HTTP/${httpVersion}`,
      host: headers[':authority'] ?? headers.host,
      status,
      body_bytes_sent: bytes,
      request_time: Math.round(performance.now() - began) / 1000,
      referer: headers.referer,
      user_agent: headers['user-agent'],
      ...phpFields(this.#ended.get(req)),
    };
    return `${JSON.stringify(line)}\n`;
  }

  #time(): string {
    const now = this.#now();
    const second = Math.floor(now.getTime() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#date = clfDate(now);
    }
    return this.#date;
  }
}

function clientOf(req: NodeRequest, proxies: TrustedProxies | null): string {
  const address = req.socket.remoteAddress;
  if (!proxies) return plainAddress(address);
  const remote = address === undefined ? undefined : { address, port: 0 };
  const http = { method: '', url: '', headers: pairsOf(req.rawHeaders), remote };
  return plainAddress(original(http, proxies, heard).remote?.address);
}

/** What tells, in the end, how many bytes of the body were sent. */
function sentBytes(res: NodeResponse): () => number {
  if (!('stream' in res)) {
    const { socket } = res.req;
    const before = socket.bytesWritten;
    return () => Math.max(socket.bytesWritten - before - headLength(res), 0);
  }
  // the connection of HTTP/2 counts for all its streams
  const { stream } = res;
  let bytes = 0;
  const write = stream.write.bind(stream);
  const end = stream.end.bind(stream);
  const count = (chunk: unknown, encoding: unknown): void => {
    if (typeof chunk === 'string')
      bytes += Buffer.byteLength(chunk, isEncoding(encoding) ? encoding : 'utf8');
    else if (chunk instanceof Uint8Array) bytes += chunk.length;
  };
  Object.assign(stream, {
    write(...args: Parameters<typeof write>): boolean {
      count(args[0], args[1]);
      return write(...args);
    },
    end(...args: Parameters<typeof end>): typeof stream {
      count(args[0], args[1]);
      end(...args);
      return stream;
    },
  });
  return () => bytes;
}

function isEncoding(encoding: unknown): encoding is BufferEncoding {
  return typeof encoding === 'string' && Buffer.isEncoding(encoding);
}

/** Node keeps the head it has sent, and nothing else tells its length. */
function headLength(res: ServerResponse): number {
  const head: unknown = '_header' in res ? res._header : null;
  return typeof head === 'string' ? head.length : 0;
}

/** nginx's `$remote_user`: the name of Basic authentication, whether or not it was right. */
function userIn(authorization: string | undefined): string {
  const [, basic] = /^basic +([\w+/=-]+)$/i.exec(authorization ?? '') ?? [];
  if (basic === undefined) return '-';
  const [name = ''] = Buffer.from(basic, 'base64').toString('latin1').split(':');
  return name === '' ? '-' : name;
}

function pairsOf(rawHeaders: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2)
    pairs.push([rawHeaders[i] ?? '', rawHeaders[i + 1] ?? '']);
  return pairs;
}

/** As PHP gets it; nginx has a word for clients without an address. */
function plainAddress(address: string | undefined): string {
  if (address === undefined) return 'unix:';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}

const harmless = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** As nginx escapes: quotes, backslashes, control and non-ASCII bytes become `\xHH`. Node gives bytes as chars. */
function escaped(text: string): string {
  if (harmless.test(text)) return text;
  return text.replace(/[^\x20-\x7e]|["\\]/g, (byte) => {
    return `\\x${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}
