/** Node's request and response objects, HTTP/1 or HTTP/2: what is the same for whoever sends by them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse, ServerHttp2Stream } from 'node:http2';
import { Server } from 'node:net';
import { setTimeout } from 'node:timers';
import { discard } from '../../request/upload.ts';
import type { ReplyHead } from '../head.ts';
import { lingerBehindBody } from './linger.ts';

export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** INTERNAL_ERROR of RFC 9113, 7: the client must not take what came for the whole. */
const internalError = 2;

/**
 * Milliseconds for the rest of a body behind its response. Most are on their way already; and Node's own client takes a
 * response for cut short where its end and that of the stream come together.
 */
const UPLOAD_GRACE = 100;

const nothing = Buffer.alloc(0);

export function isHttp2Request(request: NodeRequest): request is Http2ServerRequest {
  return 'stream' in request;
}

export function isHttp2(response: NodeResponse): response is Http2ServerResponse {
  return 'stream' in response;
}

export function isGone(response: NodeResponse): boolean {
  return isHttp2(response) ? response.stream.destroyed || response.stream.closed : response.destroyed;
}

/** What tells when a response is over, how much of it is still here, and of its timeout. */
export function outgoing(response: NodeResponse): ServerResponse | ServerHttp2Stream {
  return isHttp2(response) ? response.stream : response;
}

/**
 * When a response is over, however it ended. Of one to HEAD by HTTP/2 node says nothing where the client leaves before its end,
 * but its stream does. Either tells once. What is returned takes that back.
 */
export function whenOver(response: NodeResponse, callback: () => void): () => void {
  const emitter = outgoing(response);
  emitter.on('close', callback);
  return () => void emitter.off('close', callback);
}

/**
 * Where a client resets its stream with NO_ERROR, as `close()` of node's own client does, node waits for it to take what is written,
 * and says nothing until the connection ends; no timeout of the stream strikes any more. Where the request was read to its end,
 * node destroys the stream at once: so it is here.
 */
export function endWithReset(response: NodeResponse): void {
  if (!isHttp2(response)) return;
  const { stream } = response;
  const destroy = (): void => {
    if (stream.closed && stream.rstCode === 0) stream.destroy();
  };
  stream.once('end', destroy);
  // what has come of an upload may wait for PHP; a close() of this side tells it before it has sent its frame
  stream.once('aborted', () => queueMicrotask(destroy));
}

/** The server of an HTTP/1 request; null where it has none that is known. */
export function serverOf(request: NodeRequest): Server | null {
  const socket: object | null = isHttp2Request(request) ? null : request.socket;
  const server = socket && 'server' in socket ? socket.server : null;
  return server instanceof Server ? server : null;
}

/** A header of the request by its name in lower case. */
export function requestHeader(request: NodeRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** Its connection is to be free for the next request, also where nobody has read the body. The response is on its way. */
export function freeRequest(request: NodeRequest): void {
  if (request.complete) return;
  discard(request);
  if (isHttp2Request(request)) endBehindResponse(request.stream);
  // a request that was made up may have less of a socket, or none
  else if (isLast(request) && 'destroySoon' in (request.socket ?? {})) {
    request.once(
      'close',
      lingerBehindBody(request.socket, () => !request.complete),
    );
  }
}

/** Its client says so, and Node's parser takes nothing that comes behind it for a request. */
function isLast({ httpVersion, headers: { connection = '' } }: IncomingMessage): boolean {
  return /(?:^|[\t ,])close(?:[\t ,]|$)/i.test(connection) || (httpVersion === '1.0' && connection === '');
}

/**
 * Else the client goes on sending what nobody wants, or, where it has stalled, its stream and session stay for ever. With
 * NO_ERROR it keeps the response (RFC 9113, 8.1). Node would do so where nobody has read, but somebody has.
 */
function endBehindResponse(stream: ServerHttp2Stream): void {
  const end = (): void => {
    if (!stream.readableEnded && !stream.destroyed) setTimeout(() => stream.close(), UPLOAD_GRACE).unref();
  };
  if (stream.writableFinished) end();
  else stream.once('finish', end);
}

/** flushHeaders() would write a head as UTF-8, an empty piece lets its bytes be; but it takes a body for that. */
export function flushHead(response: NodeResponse, { hasBody, fields, statusMessage }: ReplyHead): void {
  if (isHttp2(response)) response.writeHead(response.statusCode);
  else if ([statusMessage, ...fields].every((text) => /^[\x20-\x7e]*$/.test(text))) response.flushHeaders();
  else if (hasBody) response.write(nothing);
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

export function destroyResponse(response: NodeResponse): void {
  if (isHttp2(response)) response.stream.close(internalError);
  else response.destroy();
}
