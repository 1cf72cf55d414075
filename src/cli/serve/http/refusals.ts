/**
 * Answers on the bare socket, where Node makes no response object: to what is no HTTP, comes too slowly, or wants a
 * tunnel. Node's own refusal would also throw away the answers to good requests that came before on the connection.
 */
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** By Node's codes for what is wrong with a request; for all others 400. */
const statuses = new Map([
  ['HPE_HEADER_OVERFLOW', 431],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
]);

/** Milliseconds in which a client that was refused may read why and close. */
const LINGER = 1000;

export class Refusals {
  /** The parser complains anew of every packet that follows. */
  readonly #refused = new WeakSet<Duplex>();

  /** `unfinished`: the responses that are not out yet on this connection, in their order. */
  async refuse(
    socket: Duplex,
    error: NodeJS.ErrnoException,
    unfinished: readonly ServerResponse[],
  ): Promise<void> {
    if (this.#refused.has(socket)) return;
    this.#refused.add(socket);
    // bytes after a request that was to be the last are nobody's request: the connection ends with its response
    if (error.code === 'HPE_CLOSED_CONNECTION' && unfinished.length > 0) return;
    for (const res of unfinished) {
      // it was finished while those before it were waited for
      if (res.destroyed) continue;
      if (!res.req.complete) {
        // the error is in its body, and nothing good can come after it
        if (res.headersSent) socket.destroy();
        break;
      }
      await new Promise((resolve) => res.once('close', resolve));
    }
    refuseOn(socket, statuses.get(error.code ?? '') ?? 400);
  }
}

/** Answers with no more than a status, and `why`, if that is given, and closes. */
export function refuseOn(socket: Duplex, status: number, why = ''): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const line = `${status} ${STATUS_CODES[status] ?? ''}`;
  const text = why === '' ? line : `${line}: ${why}`;
  const head = [
    `HTTP/1.1 ${line}`,
    `Date: ${new Date().toUTCString()}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${text.length + 1}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}\n`);
  socket.resume();
  linger(socket);
}

/** Closed with bytes unread, the system would send a reset, and the client might lose the answer. */
function linger(socket: Duplex): void {
  const timer = setTimeout(() => socket.destroy(), LINGER);
  socket.once('close', () => clearTimeout(timer));
}
