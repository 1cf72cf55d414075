/** A client has to take something of what is there for it, or it is taken for gone. */
import type { Http2ServerResponse } from 'node:http2';
import { Socket } from 'node:net';
import { clearInterval, setImmediate, setInterval } from 'node:timers';
import { destroyResponse, isGone, isHttp2, type NodeResponse, outgoing } from './node-response.ts';

/** Bytes for which a client of HTTP/2 has the time once more. */
const SHARE = 65_536;

export class SendTimeout {
  readonly #response: NodeResponse;
  readonly #expire: () => void;
  readonly #onceClosed: (callback: () => void) => void;
  #isRunning = false;
  #hearsEnd = false;
  /** Of HTTP/1, with what was set on it before and now, in milliseconds. */
  #socket: Socket | null = null;
  #usual = 0;
  #timeout = 0;
  #endWatch: (() => void) | null = null;

  /** `onceClosed`: calls back when the response is over; default: by a listener of its own. */
  constructor(
    response: NodeResponse,
    expire: () => void,
    onceClosed: (callback: () => void) => void = (callback) => void response.once('close', callback),
  ) {
    this.#response = response;
    this.#expire = expire;
    this.#onceClosed = onceClosed;
  }

  /** `timeout`: milliseconds. False: it runs already, or there is no client who could be slow. */
  start(timeout: number): boolean {
    if (this.#isRunning || !isTimed(this.#response)) return false;
    this.#isRunning = true;
    const timed = outgoing(this.#response);
    this.#socket = isHttp2(this.#response) ? null : this.#response.socket;
    this.#usual = this.#socket?.timeout ?? 0;
    this.#timeout = timeout;
    timed.on('timeout', this.#expire);
    // node's timer sees what a socket takes, not only what it is given
    timed.setTimeout(timeout);
    if (isHttp2(this.#response)) this.#endWatch = watch(this.#response.stream, timeout, this.#expire);
    if (!this.#hearsEnd) {
      this.#hearsEnd = true;
      this.#onceClosed(() => this.stop());
      // before node sets its time for the next request: the two may be as long as each other
      if (this.#socket) this.#response.prependListener('finish', () => this.stop());
    }
    return true;
  }

  /** The client has caught up, PHP may be silent for as long as it likes; or it has all, and the next request begins anew. */
  stop(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    const timed = outgoing(this.#response);
    timed.off('timeout', this.#expire);
    this.#endWatch?.();
    this.#endWatch = null;
    // the response has its socket no more once it is over, and somebody may have set another time meanwhile
    if (!this.#socket) timed.setTimeout(this.#usual);
    else if (this.#socket.timeout === this.#timeout) this.#socket.setTimeout(this.#usual);
  }
}

/**
 * Whoever answers has given all there is, mostly in one piece, and then nobody looks whether a client takes it: one of HTTP/2 that opens
 * no window, or one that sends more and more requests and reads nothing, would be waited for without end. `timeout`: ms, 0: it may.
 */
export function expectTaken(response: NodeResponse, timeout: number): void {
  const bytes = outgoing(response);
  if (timeout === 0 || bytes.writableFinished) return;
  // nearly all are out then
  setImmediate(() => {
    // one that was made up for the handler has no connection, and may not even be a stream
    const isReal = isHttp2(response) || response.socket instanceof Socket;
    if (!isReal || bytes.writableFinished || isGone(response)) return;
    // a framework or a middleware may be busy with it, and that is not the client's fault
    const expire = (): void => {
      if (bytes.writableLength > 0) destroyResponse(response);
    };
    new SendTimeout(response, expire).start(timeout);
  });
}

/**
 * Node's timer of a stream does not strike while anything goes out on its connection, for other streams as well: a client that asks
 * for trifles now and then would hold what it does not read for ever. How far a piece is on its way nobody says, only when all that
 * waits has gone: so there is time for each 64 KiB of it. What is returned ends it.
 */
function watch(stream: Http2ServerResponse['stream'], timeout: number, expire: () => void): () => void {
  let looks = 0;
  const moved = (): void => {
    looks = 0;
  };
  const look = (): void => {
    looks = stream.writableLength === 0 ? 0 : looks + 1;
    if (looks > 1 + stream.writableLength / SHARE) expire();
  };
  const timer = setInterval(look, timeout).unref();
  stream.on('drain', moved);
  return () => {
    clearInterval(timer);
    stream.off('drain', moved);
  };
}

/** A response that was made up for the handler (by light-my-request, say) may stand on a stream that is no socket. */
function isTimed(response: NodeResponse): boolean {
  const socket: object | null = isHttp2(response) ? null : response.socket;
  return socket === null || 'setTimeout' in socket;
}
