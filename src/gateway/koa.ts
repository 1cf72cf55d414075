/** PHP behind Koa 3: a middleware. */
import { finished } from 'node:stream/promises';
import type { Context, Middleware } from 'koa';
import { ArgumentError } from '../errors.ts';
import type { Dispatcher } from '../pool/dispatcher.ts';
import { Gateway } from './gateway.ts';
import { answerNodeRequest } from './node-answer.ts';
import type { GatewayOptions } from './options.ts';
import { isHttp2, type NodeResponse } from './reply/node-sink.ts';
import type { Trust } from './request/proxies.ts';

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
    const plan = gateway.plan({ method, url, originalUrl });
    if (plan.kind === 'pass') return next();
    ctx.respond = false;
    // Koa's phrase for a status that was set before does not belong to PHP's
    if (req.httpVersionMajor === 1) res.statusMessage = '';
    answerNodeRequest(gateway, plan, ctx, {
      request: req,
      response: res,
      left: ctx.request,
      trust: koaTrust(ctx),
    });
    // a client that leaves is no error of the application's
    await finished(outOf(res), { readable: false }).catch(() => {});
  };
}

/** Koa's types know HTTP/1 only; HTTP/2's response object does not tell `finished` when its client left long ago. */
function outOf(response: NodeResponse): NodeJS.WritableStream {
  return isHttp2(response) ? response.stream : response;
}

function emit(error: unknown, ctx: Context): void {
  if (!(error instanceof ArgumentError)) ctx.app.emit('error', error, ctx);
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
