/** Sends a Reply by node's response object, HTTP/1 or HTTP/2. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { discard } from '../request/upload.ts';
import type { OwnAnswer, ReplyHead } from './head.ts';
import { setFields, setHead } from './node-headers.ts';
import { sendFile } from './send-file.ts';
import { SendTimeout } from './send-timeout.ts';
import type { OutgoingFile, Refused, Sink, Steered } from './sink.ts';

export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** INTERNAL_ERROR of RFC 9113, 7: the client must not take what came for the whole. */
const internalError = 2;

const nothing = Buffer.alloc(0);

export class NodeSink implements Sink {
  readonly #request: NodeRequest;
  readonly #response: NodeResponse;
  readonly #timeout: SendTimeout;
  /** Head and first piece, held until PHP's bytes that have arrived together are read: most pages end with them. */
  #head: ReplyHead | null = null;
  #piece: Buffer | null = null;
  /** What was set of PHP's head; it goes where an error takes its place. */
  #fields: readonly string[] = [];
  #isStream = false;

  constructor(request: NodeRequest, response: NodeResponse) {
    this.#request = request;
    this.#response = response;
    this.#timeout = new SendTimeout(response, () => destroy(response));
  }

  attach(reply: Steered): void {
    this.#response.on('drain', () => reply.resume());
  }

  get isFresh(): boolean {
    return !this.#response.headersSent && !isGone(this.#response);
  }

  start(head: ReplyHead, fail: (error: unknown) => void): void {
    this.#fields = head.fields;
    this.#isStream = head.isStream;
    setHead(this.#response, head);
    this.#head = head;
    // queueMicrotask() would make an AsyncResource for each page
    void Promise.resolve().then(() => {
      try {
        this.#flush();
      } catch (error) {
        // node or a middleware refuses a head: thrown from here it would end the process
        fail(error);
      }
    });
  }

  write(chunk: Buffer): boolean {
    if (this.#head && !this.#piece) {
      this.#piece = chunk;
      return true;
    }
    this.#flush();
    return this.#write(chunk);
  }

  whenTaken(callback: () => void): void {
    this.#response.once('close', callback);
  }

  hurry(timeout: number): void {
    if (this.#timeout.start(timeout)) this.#response.once('drain', () => this.#timeout.stop());
  }

  end(): void {
    if (this.#head) this.#sendWhole(this.#head);
    else if (!isGone(this.#response)) this.#response.end();
    freeRequest(this.#request);
  }

  /** A page that is here in one piece has a length. */
  #sendWhole({ hasBody, contentLength }: ReplyHead): void {
    const piece = this.#piece;
    this.#head = null;
    if (isGone(this.#response)) return;
    if (hasBody && contentLength === null && !this.#response.headersSent) {
      this.#response.setHeader('Content-Length', String(piece?.length ?? 0));
    }
    if (piece) this.#response.end(piece);
    else this.#response.end();
  }

  #flush(): void {
    const head = this.#head;
    const piece = this.#piece;
    if (!head) return;
    this.#head = null;
    this.#piece = null;
    if (isGone(this.#response)) return;
    if (piece) this.#write(piece);
    // a page may be long in coming: its head would be kept back until then
    else flushHead(this.#response, head);
  }

  #write(chunk: Buffer): boolean {
    // written to a response that is gone, node's error would have no listener but the process
    if (isGone(this.#response)) return true;
    const isTaken = isHttp2(this.#response) ? this.#response.write(chunk) : this.#response.write(chunk);
    if (this.#isStream) flushEvents(this.#response);
    return isTaken;
  }

  cut(): void {
    this.#head = null;
    cutShort(this.#response);
  }

  file({ fields, path }: OutgoingFile, refused: Refused): void {
    const response = this.#response;
    setFields(response, fields, isHttp2(response));
    sendFile(this.#request, response, path, (statusCode, headers) => {
      // a file that cannot be read to its end
      if (response.headersSent) this.cut();
      else {
        for (const name of response.getHeaderNames()) response.removeHeader(name);
        refused(statusCode, headers);
      }
    }).catch(() => this.cut());
    freeRequest(this.#request);
  }

  answer({ statusCode, headers, body }: OwnAnswer): void {
    this.#head = null;
    const response = this.#response;
    for (let i = 0; i < this.#fields.length; i += 2) response.removeHeader(this.#fields[i] ?? '');
    response.statusCode = statusCode;
    if (!isHttp2(response)) response.statusMessage = '';
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    // what is left of a body that has stalled would hold the connection
    if (statusCode === 408 && !isHttp2(response)) response.setHeader('Connection', 'close');
    response.end(typeof body === 'string' ? Buffer.from(body) : body);
    freeRequest(this.#request);
  }
}

/** Its connection is to be free for the next request, also where nobody has read the body. */
export function freeRequest(request: NodeRequest): void {
  if (!request.complete) discard(request);
}

/** flushHeaders() would write a head as UTF-8, an empty piece lets its bytes be; but it takes a body for that. */
export function flushHead(response: NodeResponse, { hasBody, fields, statusMessage }: ReplyHead): void {
  if (isHttp2(response)) response.writeHead(response.statusCode);
  else if ([statusMessage, ...fields].every((text) => /^[\x20-\x7e]*$/.test(text))) response.flushHeaders();
  else if (hasBody) response.write(nothing);
}

/** What `compression` adds to a response: an event is to be seen when it happens, not when a block is full. */
function flushEvents(response: object): void {
  if ('flush' in response && typeof response.flush === 'function') response.flush();
}

/**
 * Ends a response that has begun in such a way that no client takes it for a whole one. What was written goes out
 * before the connection is closed, where the client can tell by a length or by chunks that something is missing.
 */
export function cutShort(response: NodeResponse): void {
  if (isHttp2(response)) {
    response.stream.close(internalError);
    return;
  }
  const { socket } = response;
  if (!socket || !response.headersSent || socket.destroyed) response.destroy();
  else if (response.chunkedEncoding || response.hasHeader('content-length')) {
    socket.end(() => socket.destroy());
  }
  // HTTP/1.0 ends a body by closing: only a reset tells the client that this was not the end
  else if (socket.remoteFamily !== undefined && !('encrypted' in socket)) socket.resetAndDestroy();
  else response.destroy();
}

function destroy(response: NodeResponse): void {
  if (isHttp2(response)) response.stream.close(internalError);
  else response.destroy();
}

export function isHttp2Request(request: NodeRequest): request is Http2ServerRequest {
  return 'stream' in request;
}

export function isHttp2(response: NodeResponse): response is Http2ServerResponse {
  return 'stream' in response;
}

export function isGone(response: NodeResponse): boolean {
  return isHttp2(response) ? response.stream.destroyed || response.stream.closed : response.destroyed;
}
