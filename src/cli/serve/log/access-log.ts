/**
 * One line a request, in the format nginx calls `combined`:
 * `127.0.0.1 - - [23/Nov/2026:06:54:31 +0000] "GET /a HTTP/1.1" 200 512 "-" "curl/7.88.1"`
 * or as JSON, with the seconds it took and what PHP-FPM did. The bytes are those of the body as it was sent. 499 is a client that left before
 * there was a head.
 * This folder: the access log, and what PHP complains of.
 */
import type { Writable } from 'node:stream';
import type { NodeRequest } from '../../../gateway/node.ts';
import { whenOver } from '../../../gateway/reply/node/node-response.ts';
import type { EndInfo } from '../../../gateway/reply/outcome.ts';
import { original, TrustedProxies } from '../../../gateway/request/proxies.ts';
import type { Handler } from '../handler.ts';
import type { Refusal } from '../http/refusals.ts';
import { BodyBytes } from './body-bytes.ts';
import { clfDate } from './clf-date.ts';
import { refusedLine } from './combined.ts';
import { LineBuffer } from './line-buffer.ts';
import { phpFields } from './php-fields.ts';

export interface AccessLogOptions {
  readonly logFormat: 'combined' | 'json';
}

/** As the gateway's own default. */
const heard: ReadonlySet<string> = new Set(['x-forwarded-for', 'x-forwarded-proto']);

export class AccessLog {
  readonly #lines: LineBuffer;
  readonly #isJson: boolean;
  readonly #now: () => number;
  readonly #bytes: BodyBytes = new BodyBytes();
  /** The gateway's `onEnd`, for what is said of PHP. Null: nothing is. */
  readonly ended: ((info: EndInfo, req: object) => void) | null;
  /** How the requests that PHP had have ended. */
  readonly #ended = new WeakMap<object, EndInfo>();
  /** Requests that the server has answered in the place of their responses. */
  readonly #refused = new WeakMap<object, Refusal>();
  /** Of the latest second, and its text. */
  #second = 0;
  #text = '';

  constructor(out: Writable, options: AccessLogOptions, now: () => number = Date.now) {
    this.#isJson = options.logFormat === 'json';
    this.#lines = new LineBuffer(out);
    this.ended = this.#isJson ? (info, req) => this.#ended.set(req, info) : null;
    this.#now = now;
  }

  /** `handler`, with a line for each of its requests; what PHP sees as REMOTE_ADDR behind `trustedProxies` is logged. */
  around(handler: Handler, trustedProxies: readonly string[] = []): Handler {
    const proxies = trustedProxies.length === 0 ? null : new TrustedProxies(trustedProxies);
    return (req, res) => {
      const began = this.#isJson ? performance.now() : 0;
      // a socket that is closed has no address any more
      const client = clientOf(req, proxies);
      const sent = this.#bytes.of(req, res);
      whenOver(res, () => {
        const refusal = res.headersSent ? undefined : this.#refused.get(res);
        const counted = sent.bytes();
        const bytes = refusal?.bytes ?? counted;
        const status = res.headersSent ? res.statusCode : (refusal?.status ?? 499);
        if (!this.#isJson) {
          this.#addCombined(req, client, status, bytes);
          return;
        }
        // where the client has left it is told of how the request ended after this
        setImmediate(() => this.#lines.add(this.#json(req, client, status, bytes, began)));
      });
      handler(req, res);
    };
  }

  /** What the handler was not asked for, or could not answer. Of a proxy in front it is the proxy's own address: nobody has read what it says. */
  refused(refusal: Refusal): void {
    const { address, line, status, bytes, reason, response } = refusal;
    if (response !== null) {
      this.#refused.set(response, refusal);
      return;
    }
    const client = plainAddress(address);
    const now = this.#now();
    if (!this.#isJson) {
      this.#lines.add(refusedLine(client, this.#date(now), line, status, bytes));
      return;
    }
    const time = new Date(now).toISOString();
    const request = line === '' ? {} : { request: line };
    const said = { time, remote_addr: client, ...request, status, body_bytes_sent: bytes, error: reason };
    this.#lines.add(`${JSON.stringify(said)}\n`);
  }

  /** Lines that another process has made. */
  lines(lines: string): void {
    this.#lines.add(lines);
  }

  /** Writes what is buffered. */
  flush(): void {
    this.#lines.flush();
  }

  #addCombined(
    { headers, method = '', url = '', httpVersion }: NodeRequest,
    client: string,
    status: number,
    bytes: number,
  ): void {
    const { authorization, referer = '-', 'user-agent': agent = '-' } = headers;
    const user = authorization === undefined ? '-' : userIn(authorization);
    const time = this.#date(this.#now());
    this.#lines.add({ client, user, time, method, url, httpVersion, status, bytes, referer, agent });
  }

  #json(req: NodeRequest, client: string, status: number, bytes: number, began: number): string {
    const { headers, method, url, httpVersion } = req;
    const user = userIn(headers.authorization ?? '');
    const line = {
      time: new Date(this.#now()).toISOString(),
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

  #date(time: number): string {
    const second = Math.floor(time / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = clfDate(new Date(time));
    }
    return this.#text;
  }
}

function clientOf(req: NodeRequest, proxies: TrustedProxies | null): string {
  const address = req.socket.remoteAddress;
  if (!proxies) return plainAddress(address);
  const remote = address === undefined ? undefined : { address, port: 0 };
  const http = { method: '', url: '', headers: pairsOf(req.rawHeaders), remote };
  return plainAddress(original(http, proxies, heard).remote?.address);
}

/** nginx's `$remote_user`: the name of Basic authentication, whether or not it was right. */
function userIn(authorization: string): string {
  const [, basic] = /^basic +([\w+/=-]+)$/i.exec(authorization) ?? [];
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
