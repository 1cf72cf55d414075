/**
 * One line a request, in the format nginx calls `combined`:
 * `127.0.0.1 - - [23/Nov/2026:06:54:31 +0000] "GET /a HTTP/1.1" 200 512 "-" "curl/7.88.1"`
 * or as JSON, with the seconds it took. The bytes are those of the body as it was sent. 499 is a client that left before
 * there was a head. Lines are gathered: to write each by itself would cost more than to serve a file.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { original, TrustedProxies } from '../../gateway/request/proxies.ts';
import { clfDate } from './clf-date.ts';
import type { Handler } from './handler.ts';

export interface AccessLogOptions {
  readonly logFormat: 'combined' | 'json';
  /** What PHP sees as REMOTE_ADDR is logged. */
  readonly trustedProxies: readonly string[];
}

/** Bytes of lines that may wait. A reader that stalls must not fill our memory, nor stop the service. */
const MAX_WAITING = 1024 * 1024;
/** Milliseconds. */
const GATHER = 50;
/** As the gateway's own default. */
const heard: ReadonlySet<string> = new Set(['x-forwarded-for', 'x-forwarded-proto']);
/** Chars. */
const MAX_GATHERED = 32_768;

export class AccessLog {
  readonly #out: Writable;
  readonly #isJson: boolean;
  readonly #proxies: TrustedProxies | null;
  readonly #now: () => Date;
  #gathered = '';
  #timer: NodeJS.Timeout | null = null;
  #dropped = 0;
  /** Of the latest second, and its text. */
  #second = 0;
  #date = '';

  constructor(out: Writable, options: AccessLogOptions, now: () => Date = () => new Date()) {
    this.#out = out;
    this.#isJson = options.logFormat === 'json';
    const { trustedProxies } = options;
    this.#proxies = trustedProxies.length === 0 ? null : new TrustedProxies(trustedProxies);
    this.#now = now;
  }

  /** `handler`, with a line for each of its requests. */
  around(handler: Handler): Handler {
    return (req, res) => {
      const began = this.#isJson ? performance.now() : 0;
      // a socket that is closed has no address any more
      const client = this.#clientOf(req);
      const { socket } = req;
      const before = socket.bytesWritten;
      res.once('close', () => {
        const sent = socket.bytesWritten - before;
        const bytes = Math.max(sent - headLength(res), 0);
        const status = res.headersSent ? res.statusCode : 499;
        this.#add(
          this.#isJson
            ? this.#json(req, client, status, bytes, began)
            : this.#combined(req, client, status, bytes),
        );
      });
      handler(req, res);
    };
  }

  /** Writes what is gathered. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const lines = this.#gathered;
    this.#gathered = '';
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
    this.#gathered += line;
    if (this.#gathered.length > MAX_GATHERED) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), GATHER);
  }

  #clientOf(req: IncomingMessage): string {
    const address = req.socket.remoteAddress;
    if (!this.#proxies) return plainAddress(address);
    const remote = address === undefined ? undefined : { address, port: 0 };
    const http = { method: '', url: '', headers: pairsOf(req.rawHeaders), remote };
    return plainAddress(original(http, this.#proxies, heard).remote?.address);
  }

  #combined(req: IncomingMessage, client: string, status: number, bytes: number): string {
    const { headers, method, url, httpVersion } = req;
    const request = `${method} ${url} HTTP/${httpVersion}`;
    return (
      `${client} - ${escaped(userIn(headers.authorization))} [${this.#time()}] "${escaped(request)}" ${status} ${bytes} ` +
      `"${escaped(headers.referer ?? '-')}" "${escaped(headers['user-agent'] ?? '-')}"\n`
    );
  }

  #json(req: IncomingMessage, client: string, status: number, bytes: number, began: number): string {
    const { headers, method, url, httpVersion } = req;
    const user = userIn(headers.authorization);
    const line = {
      time: this.#now().toISOString(),
      remote_addr: client,
      ...(user === '-' ? {} : { remote_user: user }),
      method,
      uri: url,
      protocol: `HTTP/${httpVersion}`,
      host: headers.host,
      status,
      body_bytes_sent: bytes,
      request_time: Math.round(performance.now() - began) / 1000,
      referer: headers.referer,
      user_agent: headers['user-agent'],
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
