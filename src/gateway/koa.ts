/** PHP behind Koa 3: a middleware. */
import { finished } from 'node:stream/promises';
import type { Context, Middleware } from 'koa';
import { ArgumentError } from '../errors.ts';
import type { Dispatcher } from '../pool/dispatcher.ts';
import { Gateway } from './gateway.ts';
import { answerNodeRequest } from './node-answer.ts';
import type { GatewayOptions } from './options.ts';
import { isHttp2, type NodeResponse } from './reply/node-sink.ts';

export type { GatewayOptions };

/**
 * `app.use(createMiddleware(pool, { root }))`: as `createHandler` of `fastcgi-pool/node`, with Koa's context for the
 * hooks of the options. What is not PHP's goes to `next`. Under koa-mount the site stands at the mount's path.
 *
 * The reply streams past Koa (`ctx.respond` is false): headers that middlewares have set before are sent, PHP's taking
 * their place, but they cannot change it afterwards. The promise resolves when the reply is out, or its client gone,
 * so that what runs behind `await next()` finds `ctx.status` and the time it took. Without `onError`, the application's
 * event `error` tells of what is not a client's fault.
 *
 * @throws ArgumentError FCGI_ERR_INVALID_ARG, naming the option.
 */
export function createMiddleware(dispatcher: Dispatcher, options: GatewayOptions<Context>): Middleware {
  const gateway = new Gateway<Context>(dispatcher, { onError: emit, ...options });
  return async (ctx, next) => {
    const { method, url, originalUrl, req, res } = ctx;
    const plan = gateway.plan({ method, url, originalUrl, baseUrl: mountPoint(ctx) });
    if (plan.kind === 'pass') return next();
    ctx.respond = false;
    // Koa's phrase for a status that was set before does not belong to PHP's
    if (req.httpVersionMajor === 1) res.statusMessage = '';
    answerNodeRequest(gateway, plan, ctx, { request: req, response: res });
    // a client that leaves is no error of the application's
    await finished(outOf(res), { readable: false }).catch(() => {});
  };
}

/** What koa-mount tells: of several inside each other only the innermost, which is no beginning of the URL then. */
function mountPoint(ctx: Context): string | undefined {
  const path: unknown = ctx['mountPath'];
  if (typeof path !== 'string' || path === '/') return undefined;
  const isOuter = ctx.originalUrl === path || ctx.originalUrl.startsWith(`${path.replace(/\/$/, '')}/`);
  return isOuter ? path : undefined;
}

/** Koa's types know HTTP/1 only; HTTP/2's response object does not tell `finished` when its client left long ago. */
function outOf(response: NodeResponse): NodeJS.WritableStream {
  return isHttp2(response) ? response.stream : response;
}

function emit(error: unknown, ctx: Context): void {
  if (!(error instanceof ArgumentError)) ctx.app.emit('error', error, ctx);
}
