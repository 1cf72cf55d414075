/** Sends a Reply by node's response object, HTTP/1 or HTTP/2. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { discard } from '../request/upload.ts';
import type { OwnAnswer, ReplyHead } from './head.ts';
import { sendFile } from './send-file.ts';
import type { OutgoingFile, Refused, Sink } from './sink.ts';

export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** INTERNAL_ERROR of RFC 9113, 7: the client must not take what came for the whole. */
const internalError = 2;

/** Bytes; up to this it is cheaper to join a page to its head than to hand the system two pieces. */
const joinable = 8192;

export class NodeSink implements Sink {
  readonly #request: NodeRequest;
  readonly #response: NodeResponse;
  /** Head and first piece, held until PHP's bytes that have arrived together are read: most pages end with them. */
  #head: ReplyHead | null = null;
  #piece: Buffer | null = null;
  #isHurried = false;

  constructor(request: NodeRequest, response: NodeResponse) {
    this.#request = request;
    this.#response = response;
  }

  get isFresh(): boolean {
    return !this.#response.headersSent && !isGone(this.#response);
  }

  start(head: ReplyHead, fail: (error: unknown) => void): void {
    this.#head = head;
    // queueMicrotask() would make an AsyncResource for each page
    void Promise.resolve().then(() => {
      try {
        this.#flush();
      } catch (error) {
        // node refuses a head (HTTP/2 has no status beyond 599): thrown from here it would end the process
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
    if (this.#isHurried) return;
    this.#isHurried = true;
    const response = this.#response;
    const timed = isHttp2(response) ? response.stream : response;
    const usual = isHttp2(response) ? 0 : (response.socket?.timeout ?? 0);
    const cut = (): void => this.cut();
    timed.on('timeout', cut);
    // node's timer sees what a socket takes, not only what it is given
    timed.setTimeout(timeout);
    response.once('drain', () => {
      this.#isHurried = false;
      timed.off('timeout', cut);
      // PHP may be silent for as long as it likes
      timed.setTimeout(usual);
    });
  }

  end(): void {
    if (this.#head) this.#sendWhole(this.#head);
    else if (!isGone(this.#response)) this.#response.end();
    this.#freeRequest();
  }

  /** A page that is here in one piece has a length, and goes out in one write. */
  #sendWhole(head: ReplyHead): void {
    const piece = this.#piece;
    const length = piece?.length ?? 0;
    this.#head = null;
    if (isGone(this.#response)) return;
    if (head.hasBody && head.contentLength === null) head.fields.push('Content-Length', String(length));
    this.#writeHead(head);
    if (!piece) this.#response.end();
    else if (length > joinable || isHttp2(this.#response)) this.#response.end(piece);
    else {
      // As one string in one write: end(piece) would send a vector of it and of an empty piece.
      this.#response.write(piece.toString('latin1'), 'latin1');
      this.#response.socket?.uncork();
      this.#response.end();
    }
  }

  #flush(): void {
    const head = this.#head;
    const piece = this.#piece;
    if (!head) return;
    this.#head = null;
    this.#piece = null;
    if (isGone(this.#response)) return;
    this.#writeHead(head);
    if (piece) this.#write(piece);
    // a page may be long in coming: HTTP/1 would keep its head back until then
    else if (!isHttp2(this.#response)) flushHead(this.#response, head);
  }

  #write(chunk: Buffer): boolean {
    // written to a response that is gone, node's error would have no listener but the process
    if (isGone(this.#response)) return true;
    return isHttp2(this.#response) ? this.#response.write(chunk) : this.#response.write(chunk);
  }

  #writeHead({ statusCode, statusMessage, fields }: ReplyHead): void {
    const response = this.#response;
    if (isHttp2(response)) {
      response.writeHead(statusCode, merged(fields, response.getHeader('set-cookie')));
      return;
    }
    // node has phrases of its own where PHP gave none
    if (statusMessage !== '') response.statusMessage = statusMessage;
    // writeHead() would keep only the last of several fields of one name where a middleware has set headers before
    if (response.getHeaderNames().length === 0) response.writeHead(statusCode, fields);
    else {
      setHeaders(response, fields);
      response.writeHead(statusCode);
    }
  }

  cut(): void {
    const response = this.#response;
    this.#head = null;
    if (isHttp2(response)) {
      response.stream.close(internalError);
      return;
    }
    const { socket } = response;
    // HTTP/1.0 ends a body by closing: only a reset tells the client that this was not the end
    const isTcp = socket?.remoteFamily !== undefined && !('encrypted' in socket);
    if (isTcp && this.#request.httpVersionMinor === 0) socket?.resetAndDestroy();
    else response.destroy();
  }

  file({ fields, path }: OutgoingFile, refused: Refused): void {
    const response = this.#response;
    if (isHttp2(response)) {
      for (const [name, value] of Object.entries(merged(fields, response.getHeader('set-cookie')))) {
        response.setHeader(name, value);
      }
    } else setHeaders(response, fields);
    sendFile(this.#request, response, path, (statusCode, headers) => {
      // a file that cannot be read to its end
      if (response.headersSent) this.cut();
      else {
        for (const name of response.getHeaderNames()) response.removeHeader(name);
        refused(statusCode, headers);
      }
    }).catch(() => this.cut());
    this.#freeRequest();
  }

  answer({ statusCode, headers, body }: OwnAnswer): void {
    this.#head = null;
    // what is left of a body that has stalled would hold the connection
    const isLast = statusCode === 408 && !isHttp2(this.#response);
    this.#response.writeHead(statusCode, isLast ? { ...headers, Connection: 'close' } : headers);
    this.#response.end(body);
    this.#freeRequest();
  }

  #freeRequest(): void {
    if (!this.#request.complete) discard(this.#request);
  }
}

/** flushHeaders() writes the head as UTF-8, an empty piece in latin1 lets its bytes be; but it takes a body for that. */
function flushHead(response: ServerResponse, { hasBody, fields }: ReplyHead): void {
  if (hasBody) response.write('', 'latin1');
  else if (fields.every((text) => /^[\x20-\x7e]*$/.test(text))) response.flushHeaders();
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

/** PHP's headers replace those of a middleware, but for cookies: each may have its own. */
function setHeaders(response: ServerResponse, fields: readonly string[]): void {
  const seen = new Set(['set-cookie']);
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? '';
    const value = fields[i + 1] ?? '';
    if (seen.has(name.toLowerCase())) response.appendHeader(name, value);
    else response.setHeader(name, value);
    seen.add(name.toLowerCase());
  }
}

/** HTTP/2's API takes an object: what came more than once is joined (RFC 9110, 5.3), but for Set-Cookie. */
function merged(fields: readonly string[], cookies: unknown): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = Object.create(null);
  const allCookies: string[] = cookies === undefined ? [] : [cookies].flat().map(String);
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = (fields[i] ?? '').toLowerCase();
    const value = fields[i + 1] ?? '';
    const before = headers[name];
    if (name === 'set-cookie') allCookies.push(value);
    else headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  if (allCookies.length > 0) headers['set-cookie'] = allCookies;
  return headers;
}
