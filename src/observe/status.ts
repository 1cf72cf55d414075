/** A page that shows a pool as it lives: for people, and as JSON for programs. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Dispatcher } from '../pool/dispatcher.ts';
import { Events } from './status/events.ts';
import { refusalOf } from './status/guard.ts';
import { checkStatusOptions, type StatusOptions } from './status/options.ts';
import { pageOf, policy } from './status/page.ts';
import type { StatusReport, Watched } from './status/report.ts';
import { Watch } from './status/watch.ts';

export type { StatusOptions, Watched };

export type StatusRequest = IncomingMessage | Http2ServerRequest;
export type StatusResponse = ServerResponse | Http2ServerResponse;

export interface StatusHandler {
  /**
   * As node:http, connect and Express take it. It answers whatever the path: mount it where the page is to be. Who may not see
   * it is passed to `next`, or answered 403 where there is none.
   */
  (request: StatusRequest, response: StatusResponse, next?: () => void): void;
  /** Ends the pages that are open, and listens to the pool no more. An open page looks again, and that begins anew. */
  close(): void;
}

/**
 * Makes a handler that shows what `fpm` (a Pool or an Upstream) does, live: `app.use('/-/fastcgi-pool', statusHandler(fpm))`.
 * Programs get the same as JSON, by `Accept: application/json` or `?json`. Only who sits at this machine may see it, unless
 * `allow` says otherwise. As long as nobody looks, it costs nothing.
 *
 * @throws ArgumentError FCGI_ERR_INVALID_ARG: an option that cannot be; `option` names it.
 */
export function statusHandler(
  fpm: Watched & Pick<Dispatcher, 'stats' | 'request'>,
  options: StatusOptions = {},
): StatusHandler {
  checkStatusOptions(fpm, options);
  const watch = new Watch(fpm, options.fpmStatus);
  return pageHandler({ report: async () => watch.report(), stop: () => watch.stop() }, options);
}

/** Never rejects. */
interface ReportSource {
  report(): Promise<StatusReport>;
  stop(): void;
}

/** The same with a report that comes from elsewhere. */
export function pageHandler(
  watch: ReportSource,
  options: Pick<StatusOptions, 'allow' | 'hosts'>,
): StatusHandler {
  const { allow } = options;
  const hosts = (options.hosts ?? []).map((host) => host.toLowerCase());
  const events = new Events(() => watch.report());
  const handler = (request: StatusRequest, response: StatusResponse, next?: () => void): void => {
    const { method = 'GET' } = request;
    const refusal =
      allow === undefined ? refusalOf(visitOf(request), hosts) : allow(request) ? null : 'not allowed';
    if (refusal !== null && next !== undefined) next();
    else if (refusal !== null) answer(response, method, 403, 'text/plain', `${refusal}\n`);
    else if (method !== 'GET' && method !== 'HEAD')
      answer(response, method, 405, 'text/plain', 'only GET and HEAD\n', { Allow: 'GET, HEAD' });
    else void show(request, response, method);
  };
  const show = async (request: StatusRequest, response: StatusResponse, method: string): Promise<void> => {
    const query = new URLSearchParams((request.url ?? '').split('?')[1] ?? '');
    if (query.has('events') && method === 'GET') {
      if (!events.add(response)) answer(response, method, 503, 'text/plain', 'too many look already\n');
    } else if (query.has('json') || wantsJson(request.headers.accept)) {
      answer(response, method, 200, 'application/json', `${JSON.stringify(await watch.report(), null, 2)}\n`);
    } else {
      const nonce = randomBytes(16).toString('base64');
      const page = pageOf(await watch.report(), nonce);
      answer(response, method, 200, 'text/html; charset=utf-8', page, {
        'Content-Security-Policy': policy(nonce),
      });
    }
  };
  const close = (): void => {
    events.close();
    watch.stop();
  };
  return Object.assign(handler, { close });
}

function visitOf(request: StatusRequest): Parameters<typeof refusalOf>[0] {
  const { headers, httpVersion } = request;
  // of the two PHP is told the same one
  const host = headers[':authority'] ?? headers.host;
  return {
    remoteAddress: request.socket.remoteAddress,
    host: typeof host === 'string' ? host : undefined,
    httpVersion,
    headers,
    headerCount: request.rawHeaders.length / 2,
    maxHeadersCount: maxHeadersCountOf(request.socket),
  };
}

/** Of the server; Infinity where it has not been changed, as 1,000 are more than anybody may send here. */
function maxHeadersCountOf(socket: object): number {
  const server = 'server' in socket ? socket.server : null;
  const count =
    typeof server === 'object' && server && 'maxHeadersCount' in server ? server.maxHeadersCount : null;
  return typeof count === 'number' && count > 0 ? count : Number.POSITIVE_INFINITY;
}

function wantsJson(accept: string | undefined): boolean {
  return accept !== undefined && /\bapplication\/json\b/.test(accept) && !accept.includes('text/html');
}

function answer(
  response: StatusResponse,
  method: string,
  status: number,
  type: string,
  text: string,
  more: Readonly<Record<string, string>> = {},
): void {
  const headers = {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    ...more,
  };
  // Two types that differ in what else they take.
  (response as ServerResponse).writeHead(status, headers);
  response.end(method === 'HEAD' ? '' : text);
}
