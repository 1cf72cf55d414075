/** PHP behind anything that turns a `Request` into a `Response`: Hono, h3, srvx and the like. */
import { checkEndpoint } from '../cgi/arguments.ts';
import type { Endpoint, HttpFacts } from '../cgi/env.ts';
import type { Dispatcher } from '../pool/dispatcher.ts';
import { Gateway, type Incoming } from './gateway.ts';
import type { GatewayOptions } from './options.ts';
import { FetchSink } from './reply/fetch-sink.ts';
import type { FileRefusal } from './reply/handed-file.ts';
import { requestRead, requestWithoutBody } from './request/touched-body.ts';
import { codingRefusal } from './request/transfer-coding.ts';
import type { Plan } from './site/site.ts';
import { fileError } from './site/static/file-error.ts';
import { fileResponse } from './site/static/send-fetch.ts';

export type { EndInfo, ErrorPage, FilesOptions, ForwardedHeader, GatewayOptions } from './options.ts';

/** What a `Request` does not say of its connection, as far as the server knows it. */
export interface RequestInfo {
  readonly remote?: Endpoint | undefined;
  readonly local?: Endpoint | undefined;
  /** Default, also for what is not of this form: 'HTTP/1.1'. */
  readonly protocol?: string | undefined;
  /** Answers what is not PHP's. Default: 404. */
  readonly next?: (() => Response | Promise<Response>) | undefined;
}

export type FetchHandler = (request: Request, info?: RequestInfo) => Promise<Response>;

/**
 * As `createHandler` of `fastcgi-pool/node`, for `Request` and `Response`. The promise resolves when PHP's head is
 * there, and never rejects: not all servers look. The body errors where the response was cut short. The request's
 * signal, and cancelling the response's body, end the script's connection; where the signal fires before the head, the
 * response has the status 499, which nobody is there to get.
 *
 * A request's body is read before PHP is asked, as long as `requestBuffering` is on or it has no Content-Length (most of
 * those made by `new Request`).
 *
 * @throws ArgumentError FCGI_ERR_INVALID_ARG, naming the option.
 */
export function createFetchHandler(dispatcher: Dispatcher, options: GatewayOptions<Request>): FetchHandler {
  const gateway = new Gateway(dispatcher, options);
  return async (request, given) => {
    // servers hand over what they like as a second argument: Bun itself, and Hono's mount() the environment
    const info = given ?? {};
    const { method, url } = request;
    const judged = gateway.plan({ method, url, originalUrl: url });
    if (judged.kind === 'pass' && typeof info.next === 'function') return info.next();
    const plan = judged.kind === 'pass' ? judged.otherwise : judged;
    const loading = gateway.load(plan);
    if (loading) await loading;
    const coding = request.headers.get('transfer-encoding');
    const broken = coding === null ? null : codingRefusal(coding);
    const sent = plan.kind === 'file' && broken === null ? sendFile(gateway, plan, request) : null;
    if (sent instanceof Response) return sent;
    const sink = new FetchSink(request.headers, gateway.sendTimeout);
    const reply = gateway.replyBy(sink, method, request);
    const leave = (): void => {
      reply.leave();
      sink.abandon(request.signal.reason);
    };
    request.signal.addEventListener('abort', leave, { once: true });
    // behind the end of PHP's reply: what waits for its reader is to be let go when there is none any more
    sink.whenOver(() => request.signal.removeEventListener('abort', leave));
    if (request.signal.aborted) leave();
    else if (broken !== null) reply.refuse(broken, undefined, { Connection: 'close' });
    else if (plan.kind === 'run') {
      const wrong = wrongBody(request) ?? wrongInfo(info);
      if (wrong) reply.refuse(500, wrong);
      else gateway.run(plan, request, incoming(request, info), reply);
    } else if (plan.kind === 'redirect')
      reply.refuse(plan.statusCode, undefined, { Location: plan.location });
    else if (plan.kind === 'file') reply.refuse(sent?.statusCode ?? 500, sent?.reason, sent?.headers);
    else reply.refuse(plan.statusCode, plan.reason, plan.headers);
    return sink.response;
  };
}

function sendFile(
  gateway: Gateway<Request>,
  plan: Plan & { kind: 'file' },
  request: Request,
): Response | FileRefusal {
  const broken = (error: Error, statusCode: number): void => gateway.report(request, error, statusCode);
  try {
    const acceptEncoding = request.headers.get('accept-encoding') ?? undefined;
    return gateway.sendFile(plan, acceptEncoding, (file) =>
      fileResponse(file, request, gateway.sendTimeout, broken),
    );
  } catch (error) {
    return fileError(error);
  }
}

/** What the server in front has said wrongly is no fault of the client's. */
function wrongInfo({ remote, local }: RequestInfo): unknown {
  try {
    checkEndpoint('remote', remote);
    checkEndpoint('local', local);
    return null;
  } catch (error) {
    return error;
  }
}

function wrongBody(request: Request): unknown {
  const { body, method, headers } = request;
  if (isTaken(request)) return isEmpty(request) ? null : requestRead();
  // with these a client should send none (RFC 9110, 9.3), and no Request can hold it
  if (body || method === 'GET' || method === 'HEAD') return null;
  return Number(headers.get('content-length')) > 0 ? requestWithoutBody() : null;
}

/** Somebody has read the body, or does. */
function isTaken({ bodyUsed, body }: Request): boolean {
  return bodyUsed || body?.locked === true;
}

/** Said to have no byte: whoever has read it, as servers make a body of nothing, has taken nothing away. */
function isEmpty({ headers }: Request): boolean {
  return /^0+$/.test(headers.get('content-length') ?? '');
}

function incoming(request: Request, info: RequestInfo): Incoming {
  return {
    length: request.headers.get('content-length') ?? undefined,
    // a router may hand over a Request of its own kind, where what is null is undefined: itty-router does
    body: isTaken(request) ? null : (request.body ?? null),
    facts: (contentLength) => factsOf(request, info, contentLength),
  };
}

function factsOf(request: Request, info: RequestInfo, contentLength: number | undefined): HttpFacts {
  const { remote, local, protocol } = info;
  return {
    method: request.method,
    url: request.url,
    headers: request.headers,
    protocol: protocol?.startsWith('HTTP/') ? protocol : undefined,
    remote,
    local,
    tls: request.url.startsWith('https:'),
    contentLength,
  };
}
