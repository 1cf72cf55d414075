/**
 * One line a request, in the format nginx calls `combined`, and after it the seconds the request took:
 * `127.0.0.1 - - [23/Nov/2026:06:54:31 +0000] "GET /a HTTP/1.1" 200 512 "-" "curl/7.88.1" 0.012`
 * The bytes are those of the whole response, its head included. 499 is a client that left before there was a head.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';

/** Bytes of lines that may wait. A reader that stalls must not fill our memory, nor stop the service. */
const MAX_WAITING = 1024 * 1024;

export class AccessLog {
  readonly #out: Writable;
  readonly #now: () => Date;
  #dropped = 0;

  constructor(out: Writable, now: () => Date = () => new Date()) {
    this.#out = out;
    this.#now = now;
  }

  /** To be called before anything answers. */
  watch(req: IncomingMessage, res: ServerResponse): void {
    const began = performance.now();
    const client = req.socket.remoteAddress ?? '-';
    const before = req.socket.bytesWritten;
    res.once('close', () => {
      const seconds = ((performance.now() - began) / 1000).toFixed(3);
      const status = res.headersSent ? res.statusCode : 499;
      const target = `${req.method} ${req.url} HTTP/${req.httpVersion}`;
      const bytes = req.socket.bytesWritten - before;
      this.#write(
        `${client} - - [${clfDate(this.#now())}] ${quoted(target)} ${status} ${bytes} ` +
          `${quoted(req.headers.referer)} ${quoted(req.headers['user-agent'])} ${seconds}\n`,
      );
    });
  }

  #write(line: string): void {
    if (this.#out.destroyed || this.#out.writableLength > MAX_WAITING) {
      this.#dropped += 1;
      return;
    }
    const lost = this.#dropped;
    this.#dropped = 0;
    this.#out.write(lost === 0 ? line : `- ${lost} lines lost: nobody read this log\n${line}`);
  }
}

/** As nginx escapes: quotes, backslashes, control and non-ASCII bytes become `\xHH`. Node gives bytes as chars. */
function quoted(text: string | undefined): string {
  const escaped = (text ?? '-').replace(/[^\x20-\x7e]|["\\]/g, (byte) => {
    return `\\x${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
  return `"${escaped}"`;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `23/Nov/2026:06:54:31 +0000`, always in UTC. */
function clfDate(date: Date): string {
  const [day = '', time = ''] = date.toISOString().split('T');
  const [year = '', month = '', dayOfMonth = ''] = day.split('-');
  return `${dayOfMonth}/${months[Number(month) - 1] ?? month}/${year}:${time.slice(0, 8)} +0000`;
}
