/** PHP behind Fastify: a plugin. */
import { Readable } from 'node:stream';
import type {
  FastifyInstance,
  FastifyPluginAsync,
  FastifyReply,
  FastifyRequest,
  RegisterOptions,
} from 'fastify';
import { withoutHost } from '../cgi/target.ts';
import type { Dispatcher } from '../pool/dispatcher.ts';
import { Gateway } from './gateway.ts';
import { isClientsFault } from './hooks.ts';
import { answerNodeRequest } from './node-answer.ts';
import type { GatewayOptions } from './options.ts';
import type { OwnAnswer, ReplyHead } from './reply/head.ts';
import { type Framework, FrameworkSink } from './reply/node/framework-sink.ts';
import { type HeaderTarget, setHeaders } from './reply/node/node-headers.ts';
import type { Trust } from './request/proxies.ts';
import { isSource } from './site/never-sent.ts';
import type { Plan, RequestLine } from './site/site.ts';

export type { EndInfo, ErrorPage, FilesOptions, ForwardedHeader, GatewayOptions } from './options.ts';

/**
 * The options of a gateway, whose hooks are given Fastify's request. Without `onError` and `onStderr`, Fastify's
 * logger is told: at level `info` what is a client's fault, at `error` the rest, at `warn` what PHP writes to STDERR.
 */
export interface FastifyGatewayOptions extends GatewayOptions<FastifyRequest> {
  /** A Pool or an Upstream. Closing it is yours: `app.addHook('onClose', () => pool.close())`. */
  readonly dispatcher: Dispatcher;
  /** The path at which the site stands, as for any plugin. Default: the root. */
  readonly prefix?: string;
}

// `type/subtype` as RFC 9110, 8.3.1 has it, before the parameters
const mediaType = /^[\t ]*[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+[\t ]*(;|$)/;

type Handler = (request: FastifyRequest, reply: FastifyReply) => void;

const plugin: FastifyPluginAsync<FastifyGatewayOptions> = async (outer, given) => {
  let handler: Handler | null = null;
  // @fastify/static with `wildcard: false` makes a route for each file, and so for each script: it would send its source
  outer.addHook('onRequest', (request, reply, done) => {
    const config: unknown = request.routeOptions?.config;
    const file = typeof config === 'object' && config && 'file' in config ? config.file : undefined;
    if (handler && typeof file === 'string' && isSource(file.replaceAll('\\', '/'))) handler(request, reply);
    else done();
  });
  await outer.register(async (app, options) => {
    handler = serveSite(app, options);
  }, given);
};

function serveSite(app: FastifyInstance, given: FastifyGatewayOptions): Handler {
  // register() has taken these three for itself, and passes them on
  const { prefix: _p, logLevel: _l, logSerializers: _s, ...own }: RegisterOptions & typeof given = given;
  const { dispatcher, onError = log, onStderr = logStderr, ...options } = own;
  const gateway = new Gateway(dispatcher, { ...options, onError, onStderr });

  // PHP parses bodies itself: here they must stay unread, whatever they are called
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.addHook('preParsing', (request, _reply, payload, done) => {
    const type = request.headers['content-type'];
    // Fastify would answer 415; PHP gets the header as it came, from the raw request
    if (type !== undefined && !mediaType.test(type)) {
      request.headers = { 'content-type': 'application/octet-stream' };
    }
    done(null, payload);
  });

  const depth = app.prefix.split('/').filter((segment) => segment !== '').length;
  const planFor = (request: RawRequest): Plan => gateway.plan(lineOf(request, depth));
  const handler = (request: FastifyRequest, reply: FastifyReply): void => {
    const plan = planFor(request.raw);
    if (plan.kind === 'pass') {
      reply.callNotFound();
      return;
    }
    answerNodeRequest(gateway, plan, request, {
      request: request.raw,
      response: reply.raw,
      left: request,
      trust: fastifyTrust(request),
      sink: new FrameworkSink(request.raw, reply.raw, new FastifyFramework(request, reply)),
    });
  };
  // at the root, `/*` is `/`, too, and an application may have a route of its own there
  addRoutes(app, depth > 0 ? ['/*', '/'] : ['/*'], handler, (request) => planFor(request).kind !== 'pass');
  return handler;
}

/** Another plugin may have the same routes, such as @fastify/static: then what is PHP's comes here, and the rest goes there. */
function addRoutes(
  app: FastifyInstance,
  urls: readonly string[],
  handler: Handler,
  isOurs: (request: RawRequest) => boolean,
): void {
  const name = freeName(app);
  const isShared = (): boolean =>
    urls.some((url) => app.hasRoute({ method: 'GET', url: app.prefix + url, constraints: {} }));
  let areShared = isShared();
  app.addHook('onReady', async () => {
    areShared = isShared();
  });
  app.addConstraintStrategy({
    name,
    storage: () => {
      const known = new Map();
      return { get: (key) => known.get(key) ?? null, set: (key, store) => void known.set(key, store) };
    },
    deriveConstraint: (request) => (!areShared || isOurs(request) ? ours : undefined),
    validate: () => {},
  });
  for (const url of urls) app.all(url, { constraints: { [name]: ours } }, handler);
}

/** The value of the constraint. */
const ours = 'php';

/** There may be several sites in one application. The router builds code of the name: an identifier. */
function freeName(app: FastifyInstance): string {
  for (let count = 1; ; count++) {
    const name = `fastcgiPool${count}`;
    if (!app.hasConstraintStrategy(name)) return name;
  }
}

interface RawRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
}

/** With `rewriteUrl`, `url` is the new one. */
function lineOf(request: RawRequest, depth: number): RequestLine {
  const { method = '', url: current = '/' } = request;
  const originalUrl = 'originalUrl' in request && request.originalUrl ? String(request.originalUrl) : current;
  const all = isDecoded(current, originalUrl) ? originalUrl : current;
  // the router takes the host off a whole URL (`GET http://site/blog/a.php`), as it does off no other target
  const path = depth > 0 ? withoutHost(all) : all;
  const url = pathBehindPrefix(path, depth);
  const baseUrl = path.endsWith(url) ? path.slice(0, path.length - url.length) : path;
  return { method, url, originalUrl, baseUrl };
}

/**
 * @fastify/express, once it is there, decodes the URL of each request. That is no rewrite: decoded a second time, `/%2561dmin` would be
 * a folder that no guard has seen, and `?x=100%25` a wrong value.
 */
function isDecoded(url: string, originalUrl: string): boolean {
  if (url === originalUrl) return false;
  try {
    return withoutDoubleSlashes(decodeURI(originalUrl)) === withoutDoubleSlashes(url);
  } catch {
    return false;
  }
}

/** As Fastify's `ignoreDuplicateSlashes` has @fastify/express do it. */
function withoutDoubleSlashes(url: string): string {
  return url.replace(/\/{2,}/g, '/');
}

class FastifyFramework implements Framework {
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;

  constructor(request: FastifyRequest, reply: FastifyReply) {
    this.#request = request;
    this.#reply = reply;
  }

  send(head: ReplyHead, body: Buffer | Readable | null): void {
    const { statusCode, statusMessage, isStream } = head;
    const isHttp2 = this.#request.raw.httpVersionMajor === 2;
    // Fastify knows none beyond, and HTTP/1 does
    this.#reply.code(Math.min(statusCode, 599)).raw.statusCode = statusCode;
    if (!isHttp2) this.#reply.raw.statusMessage = statusMessage;
    setHeaders(this.#headers, head, isHttp2);
    // @fastify/compress would hold events back until a block is full
    if (isStream) this.#request.headers = { ...this.#request.headers, 'x-no-compression': '1' };
    this.#reply.send(this.#payload(body));
  }

  answer({ statusCode, headers, body }: OwnAnswer): void {
    this.#reply.code(statusCode).headers(headers).send(Buffer.from(body));
  }

  /** Of bytes without a type Fastify would say that they are an octet-stream. */
  #payload(body: Buffer | Readable | null): unknown {
    if (body === null || !Buffer.isBuffer(body)) return body ?? undefined;
    if (body.length === 0) return undefined;
    if (this.#reply.hasHeader('content-type')) return body;
    this.#reply.header('content-length', String(body.length));
    return Readable.from([body], { objectMode: false });
  }

  get #headers(): HeaderTarget {
    const reply = this.#reply;
    return {
      getHeader: (name) => reply.getHeader(name),
      // header() adds to the cookies that are there
      setHeader: (name, value) => reply.removeHeader(name).header(name, value),
      hasHeader: (name) => reply.hasHeader(name),
      removeHeader: (name) => reply.removeHeader(name),
    };
  }
}

/** What follows as many segments as the prefix has; a prefix may hold parameters, so its text is not to be sought. */
function pathBehindPrefix(url: string, depth: number): string {
  const end = new RegExp(`^(?:/+[^/?#]*){${depth}}`).exec(url)?.[0].length ?? 0;
  const rest = url.slice(end);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** Fastify's setting `trustProxy`, seen by what comes of it: `ips` ends with the first address that is no proxy. */
function fastifyTrust(request: FastifyRequest): Trust | undefined {
  const { ips, protocol, raw } = request;
  if (ips === undefined) return undefined;
  const isTls = 'encrypted' in raw.socket && raw.socket.encrypted === true;
  const isHeard = ips.length > 1 || (protocol === 'https') !== isTls;
  return { trusts: (_address, hop) => (hop === 0 ? isHeard : hop < ips.length - 1) };
}

function log(error: unknown, request: FastifyRequest, statusCode: number): void {
  if (isClientsFault(error, statusCode)) request.log.info({ err: error }, 'a request that cannot be served');
  else request.log.error({ err: error }, 'a request that PHP did not answer well');
}

function logStderr(chunk: Uint8Array, request: FastifyRequest): void {
  request.log.warn({ stderr: Buffer.from(chunk).toString() }, 'PHP wrote to STDERR');
}

/**
 * `app.register(fastcgi, { dispatcher: pool, root })` answers every path below `prefix` that leads to a PHP script, as
 * `createHandler` of `fastcgi-pool/node` does. Routes of your own come first; what is not PHP's goes to the not-found
 * handler, which may serve static files. PHP's reply goes out as Fastify's own: hooks, cookies, sessions and compression do
 * to it what they do to any, headers that hooks have set stay beside PHP's, cookies add up; names of headers are in lower
 * case, as Fastify has them. Files go the same way. The methods are those that Fastify knows: `app.addHttpMethod()` before `register()` adds some. `bodyLimit` does not hold, but
 * `maxBodySize` does.
 *
 * A path that is not UTF-8 (`/caf%e9.php`) Fastify's router refuses before any plugin sees it; where PHP is to have
 * it, give it away in Fastify's option `frameworkErrors`, to a handler of `fastcgi-pool/node`.
 *
 * `ready()` and `listen()` reject with an ArgumentError FCGI_ERR_INVALID_ARG that names the option.
 */
const fastcgi: FastifyPluginAsync<FastifyGatewayOptions> = Object.assign(plugin, {
  // what fastify-plugin would set: an older Fastify then says that it is too old
  [Symbol.for('skip-override')]: true,
  [Symbol.for('plugin-meta')]: { name: 'fastcgi-pool', fastify: '>=4' },
});

export default fastcgi;
