/** PHP behind Koa: a middleware. */
import { Readable } from 'node:stream';
import type { Context, Middleware } from 'koa';
import { checkIsOptions } from '../arguments.ts';
import type { Dispatcher } from '../pool/dispatcher.ts';
import { Gateway } from './gateway.ts';
import { isClientsFault } from './hooks.ts';
import { answerNodeRequest } from './node-answer.ts';
import type { GatewayOptions } from './options.ts';
import type { OwnAnswer, ReplyHead } from './reply/head.ts';
import { inAscii } from './reply/in-ascii.ts';
import { type Framework, FrameworkSink } from './reply/node/framework-sink.ts';
import { setHeaders } from './reply/node/node-headers.ts';
import { isGone, whenOver } from './reply/node/node-response.ts';
import type { Trust } from './request/proxies.ts';

export type { EndInfo, ErrorPage, FilesOptions, ForwardedHeader, GatewayOptions } from './options.ts';

/**
 * `app.use(createMiddleware(pool, { root }))`: as `createHandler` of `fastcgi-pool/node`, with Koa's context for the
 * hooks of the options. What is not PHP's goes to `next`. Under koa-mount the site stands at the mount's path.
 *
 * PHP's reply becomes Koa's: `ctx.status`, headers beside those that were set before (PHP's take their place, cookies
 * add up), `ctx.body` a buffer or a stream. Middlewares in front may do with it behind `await next()` what they do with
 * any other: sessions, compression, logs; files too. A body that one of them replaces ends its script's connection. Without
 * `onError`, the application's event `error` tells of what is not a client's fault.
 *
 * @throws ArgumentError FCGI_ERR_INVALID_ARG, naming the option.
 */
export function createMiddleware(dispatcher: Dispatcher, options: GatewayOptions<Context>): Middleware {
  checkIsOptions('options', options);
  const { onError = emit } = options;
  const gateway = new Gateway<Context>(dispatcher, { ...options, onError });
  return async (ctx, next) => {
    const { method, url, originalUrl, req, res } = ctx;
    const plan = gateway.plan({ method, url, originalUrl, baseUrl: mountPoint(ctx) });
    if (plan.kind === 'pass') return next();
    await new Promise<void>((resolve) => {
      // its client has gone
      const forget = whenOver(res, resolve);
      const framework = new KoaReply(ctx, () => {
        forget();
        resolve();
      });
      answerNodeRequest(gateway, plan, ctx, {
        request: req,
        response: res,
        left: ctx.request,
        trust: koaTrust(ctx),
        sink: new FrameworkSink(req, res, framework),
      });
      // before all this: nothing tells of it any more
      if (isGone(res)) resolve();
    });
  };
}

/** What koa-mount tells: of several inside each other only the innermost, which is no beginning of the URL then. */
function mountPoint(ctx: Context): string | undefined {
  const path: unknown = ctx['mountPath'];
  if (typeof path !== 'string' || path === '/') return undefined;
  const isOuter = ctx.originalUrl === path || ctx.originalUrl.startsWith(`${path.replace(/\/$/, '')}/`);
  return isOuter ? path : undefined;
}

class KoaReply implements Framework {
  readonly #ctx: Context;
  readonly #done: () => void;

  constructor(ctx: Context, done: () => void) {
    this.#ctx = ctx;
    this.#done = done;
  }

  send(head: ReplyHead, body: Buffer | Readable | null): void {
    const { statusCode, statusMessage, isStream } = head;
    const isHttp2 = this.#ctx.req.httpVersionMajor === 2;
    this.#set(statusCode, body ?? this.#nothing(statusCode));
    setHeaders(this.#ctx.res, isHttp2 ? head : inAscii(head), isHttp2);
    // setHeaders() has removed Koa's own: node would send a page that is here as a whole in chunks
    if (Buffer.isBuffer(body) && head.contentLength === null) this.#ctx.length = body.length;
    // Koa's phrase for the status does not belong to PHP's
    if (!isHttp2) this.#ctx.res.statusMessage = statusMessage;
    // koa-compress would hold events back until a block is full
    if (isStream) this.#ctx['compress'] = false;
    this.#done();
  }

  answer({ statusCode, headers, body }: OwnAnswer): void {
    this.#set(statusCode, Buffer.from(body));
    for (const [name, value] of Object.entries(headers)) this.#ctx.res.setHeader(name, value);
    this.#done();
  }

  #set(statusCode: number, body: Buffer | Readable | undefined): void {
    const ctx = this.#ctx;
    const hasType = ctx.res.hasHeader('Content-Type');
    ctx.status = statusCode;
    ctx.body = body;
    // Koa's guess: PHP says what it is, or nobody does
    if (!hasType) ctx.remove('Content-Type');
  }

  /** Of a stream Koa knows no length: it would say that of the page for which HEAD asks is 0. */
  #nothing(statusCode: number): Readable | undefined {
    if (statusCode === 204 || statusCode === 205 || statusCode === 304) return undefined;
    // koa-json would take a stream of objects for JSON to send
    return Readable.from([], { objectMode: false });
  }
}

function emit(error: unknown, ctx: Context, statusCode: number): void {
  if (!isClientsFault(error, statusCode)) ctx.app.emit('error', error, ctx);
}

/** Koa's setting `proxy`: it believes every address, or the last `maxIpsCount` of them. */
function koaTrust({ app, ip }: Context): Trust | undefined {
  if (!app.proxy) return undefined;
  const isUsual = app.proxyIpHeader.toLowerCase() === 'x-forwarded-for';
  return {
    trusts: (_address, hop) => app.maxIpsCount === 0 || hop < app.maxIpsCount,
    client: isUsual ? undefined : ip,
  };
}
