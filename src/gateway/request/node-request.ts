/**
 * What node's request object knows of a request.
 * This folder: what comes in: the client's address, its body, what others have done to it. It imports what its
 * parent may.
 */
import { IncomingMessage } from 'node:http';
import type { Endpoint, HttpFacts } from '../../cgi/env.ts';
import type { Incoming } from '../gateway.ts';
import { isHttp2Request, type NodeRequest, serverOf } from '../reply/node/node-response.ts';
import type { Trust } from './proxies.ts';
import { currentHeaders } from './request-headers.ts';
import { type BodyHead, bodyRead, rawBytes, touched } from './touched-body.ts';
import { codingRefusal } from './transfer-coding.ts';
import { chunksOf, sharedChunksOf } from './upload.ts';

/**
 * `left`: what may have been left of a body that was read before, `trust`: whom the framework takes for a proxy of ours.
 *
 * @throws RequestError FCGI_ERR_BODY_READ
 */
export function incoming(request: NodeRequest, left: object = request, trust?: Trust): Incoming {
  return {
    length: request.headers['content-length'],
    body: bodyOf(request, left),
    facts: (contentLength) => factsOf(request, contentLength),
    trust,
  };
}

function bodyOf(request: NodeRequest, left: object): Incoming['body'] {
  if (!hasBody(request)) return null;
  const how = touched(request);
  if (how === 'untouched') return chunksOf(request);
  if (how === 'shared') return sharedChunksOf(request);
  // there was none
  if (request.readableEnded && !request.readableDidRead) return null;
  const { headers } = request;
  const head: BodyHead = {
    length: headers['content-length'],
    encoding: headers['content-encoding'],
    type: headers['content-type'],
  };
  // a connect middleware under Fastify or Koa leaves on node's request what their own would leave on theirs
  const bytes = rawBytes(left, head) ?? rawBytes(request, head);
  if (bytes === null) throw bodyRead(how, [left, request]);
  return bytes;
}

/**
 * Node's parser lets these pass, and no server answers them: HTTP/0.9 has no head, HTTP/1.0 no codings (RFC 9112, 6.1), a line that
 * ends in HTTP/2.0 stands on no connection of HTTP/2 (Node asks it for no Host either), and what `codingRefusal` refuses. Null: all is well.
 */
export function illFormed(request: NodeRequest): 400 | 501 | 505 | null {
  if (request.httpVersionMajor > 1 && !isHttp2Request(request)) return 505;
  const coding = request.headers['transfer-encoding'];
  if (coding === undefined) return request.httpVersionMajor < 1 ? 400 : null;
  return request.httpVersion === '1.0' ? 400 : codingRefusal(coding);
}

/** Headers that node keeps of a request, where its server does not say. */
const mostHeaders = 1000;

/**
 * Node drops in silence what comes behind so many headers: cookies, the length of a body, the addresses that a proxy has
 * added.
 */
export function hasLostHeaders(request: NodeRequest): boolean {
  const { length } = rawHeadersOf(request);
  if (isHttp2Request(request) || length < 2) return false;
  const server = serverOf(request);
  const own = server && 'maxHeadersCount' in server ? server.maxHeadersCount : undefined;
  const most = typeof own === 'number' ? own : mostHeaders;
  return most > 0 && length >= 2 * most;
}

/** Headers in which a Host may be, name and value in turn. */
export function hostFields(request: NodeRequest): readonly string[] {
  const authority = isHttp2Request(request) ? request.headers[':authority'] : undefined;
  return authority === undefined ? rawHeadersOf(request) : ['host', authority];
}

function hasBody(request: NodeRequest): boolean {
  if (isHttp2Request(request)) return !request.stream.endAfterHeaders;
  const { headers } = request;
  const length = headers['content-length'];
  if (length !== undefined) return length !== '0' || headers['transfer-encoding'] !== undefined;
  return headers['transfer-encoding'] !== undefined || mayHoldMore(request);
}

/**
 * Where it did not come over a connection, but was made up (by Fastify's `inject()`, say), nothing has to say that there is a body: a
 * stream comes without a length. As Fastify, we look for one where its type is said.
 */
function mayHoldMore(request: NodeRequest): boolean {
  return !(request instanceof IncomingMessage) && request.headers['content-type'] !== undefined;
}

function factsOf(request: NodeRequest, contentLength: number | undefined): HttpFacts {
  // one that was made up (by fetch-to-node, say) may have none
  const socket: Partial<NodeRequest['socket']> = request.socket ?? {};
  return {
    method: request.method ?? '',
    url: request.url ?? '',
    headers: headersOf(request),
    protocol: `HTTP/${request.httpVersion}`,
    remote: endpoint(socket.remoteAddress, socket.remotePort),
    local: endpoint(socket.localAddress, socket.localPort),
    tls: 'encrypted' in socket && socket.encrypted === true,
    contentLength,
  };
}

/** One that was made up for a test (hapi's `inject()`) may have none. */
function rawHeadersOf({ rawHeaders }: { readonly rawHeaders?: readonly string[] }): readonly string[] {
  return rawHeaders ?? [];
}

/** HTTP/2 says `:authority` where HTTP/1 says Host. */
function headersOf(request: NodeRequest): [string, string][] {
  const headers = currentHeaders(rawHeadersOf(request), request.headers);
  const authority = isHttp2Request(request) ? request.headers[':authority'] : undefined;
  if (authority === undefined) return headers;
  return [['host', authority], ...headers.filter(([name]) => name !== 'host')];
}

function endpoint(address: string | undefined, port: number | undefined): Endpoint | undefined {
  // there is none on a unix socket, nor on one that the client has closed
  return address === undefined ? undefined : { address, port };
}
