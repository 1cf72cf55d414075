/**
 * The way of a request through the gateway, the same for every server it may have come by.
 * This folder: HTTP in, a Dispatcher, HTTP out; the adapters of each framework stand at its top. It imports pool's
 * contract, cgi and the errors, and knows no Pool.
 */
import { isUint8Array } from 'node:util/types';
import type { HttpFacts } from '../cgi/env.ts';
import { ArgumentError } from '../errors.ts';
import type { Body, Dispatcher } from '../pool/dispatcher.ts';
import { RequestHooks } from './hooks.ts';
import type { GatewayOptions } from './options.ts';
import { clientStatus, headerKinds, statusFor } from './reply/head.ts';
import { Pipelined } from './reply/node/pipelined.ts';
import { Reply } from './reply/reply.ts';
import type { ReplyOptions } from './reply/reply-options.ts';
import type { Sink } from './reply/sink.ts';
import { BufferSpace } from './reply/waiting/buffer.ts';
import { clientBody } from './request/client-body.ts';
import { original, type Trust } from './request/proxies.ts';
import { type Spooled, spool } from './request/spool.ts';
import { readOptions, type Settings } from './settings.ts';
import { type Plan, type RequestLine, type RunScript, Site } from './site/site.ts';
import type { SiteFile } from './site/static/site-files.ts';
import { Warnings } from './warnings.ts';

/** A request as its adapter knows it. */
export interface Incoming {
  /** Content-Length as it came. */
  readonly length: string | undefined;
  /** Null: there is none. Bytes: somebody has read it before, and kept it. */
  readonly body: AsyncIterable<Uint8Array> | Uint8Array | null;
  /** `contentLength` in bytes, where the body had to be counted. */
  facts(contentLength?: number): HttpFacts;
  /** Whom the framework takes for a proxy, where it can be told so. */
  readonly trust?: Trust | undefined;
}

export class Gateway<Req> {
  readonly #dispatcher: Dispatcher;
  readonly #settings: Settings<Req>;
  readonly #site: Site;
  readonly #replies: ReplyOptions;
  readonly #warnings = new Warnings();
  /** Of node's servers. */
  readonly pipelined: Pipelined = new Pipelined();

  /** @throws ArgumentError FCGI_ERR_INVALID_ARG, naming the option. */
  constructor(dispatcher: Dispatcher, options: GatewayOptions<Req>) {
    if (typeof dispatcher?.dispatch !== 'function') {
      const message = 'The first argument, dispatcher, must be one: a Pool or an Upstream';
      throw new ArgumentError('FCGI_ERR_INVALID_ARG', 'dispatcher', message);
    }
    this.#dispatcher = dispatcher;
    this.#settings = readOptions(options);
    this.#site = new Site(this.#settings);
    const { handover } = this.#settings;
    this.#replies = {
      kinds: headerKinds(),
      buffering: this.#settings.responseBuffering,
      space: new BufferSpace(this.#settings.responseBufferTotal),
      tempFile: this.#settings.tempFile,
      sendTimeout: this.#settings.sendTimeout,
      outlivesClient: this.#settings.outlivesClient,
      handedOver: handover && ((files) => handover.find(files)),
      intercepts: this.#settings.interceptErrors,
      mediaTypes: this.#settings.mediaTypes,
    };
    if (handover) void this.#settings.mediaTypes.load();
  }

  /** The option, ms. */
  get sendTimeout(): number {
    return this.#settings.sendTimeout;
  }

  /** `isDirect`: see Site. */
  plan(line: RequestLine, isDirect?: boolean): Plan {
    return this.#site.plan(line, isDirect);
  }

  /** What is loaded for the first plan that needs it. Null: it is there. It never rejects: the plan fails by itself. */
  load(plan: Plan): Promise<void> | null {
    const { handover, mediaTypes } = this.#settings;
    return plan.kind === 'file' || (plan.kind === 'run' && handover) ? mediaTypes.load() : null;
  }

  /** Carries out a plan to send a file, once it is loaded: see Site. */
  sendFile<T>(
    plan: Plan & { kind: 'file' },
    acceptEncoding: string | undefined,
    send: (file: SiteFile) => T,
  ): T {
    return this.#site.send(plan.file, acceptEncoding, send);
  }

  /** What became of a file that is on its way, where its client cannot be told any more. */
  report(request: Req, error: Error, statusCode: number): void {
    new RequestHooks(this.#settings, this.#warnings, request).report(error, statusCode);
  }

  replyBy(sink: Sink, method: string, request: Req): Reply {
    const hooks = new RequestHooks(this.#settings, this.#warnings, request);
    return new Reply(sink, method, hooks, this.#replies);
  }

  /** Everything from the body on: what goes wrong comes to `reply`. */
  run(plan: RunScript, request: Req, incoming: Incoming, reply: Reply): void {
    const { length, body } = incoming;
    const { maxBodySize, requestBuffering, bodyReadTimeout } = this.#settings;
    if (Number(length) > maxBodySize) reply.refuse(413);
    else if (body === null || length === '0') this.#send(plan, request, incoming, null, undefined, reply);
    else if (isUint8Array(body)) this.#sendBytes(plan, request, incoming, body, reply);
    else if (requestBuffering || length === undefined)
      void this.#collect(plan, request, incoming, body, reply);
    else this.#send(plan, request, incoming, clientBody(body, bodyReadTimeout), undefined, reply);
  }

  #sendBytes(plan: RunScript, request: Req, incoming: Incoming, body: Uint8Array, reply: Reply): void {
    if (body.length > this.#settings.maxBodySize) reply.refuse(413);
    else this.#send(plan, request, incoming, body, body.length, reply);
  }

  async #collect(
    plan: RunScript,
    request: Req,
    incoming: Incoming,
    body: AsyncIterable<Uint8Array>,
    reply: Reply,
  ): Promise<void> {
    const { spool: limits, bodyReadTimeout } = this.#settings;
    let spooled: Spooled | null;
    try {
      spooled = await spool(clientBody(body, bodyReadTimeout), limits);
    } catch (error) {
      // it stalled, or there is no space left, say; where the client broke off, nobody is there to be told
      reply.refuse(error instanceof ArgumentError ? statusFor(error) : (clientStatus(error) ?? 500), error);
      return;
    }
    if (!spooled) {
      reply.refuse(413);
      return;
    }
    reply.hold(spooled.release);
    const { length = spooled.length } = incoming;
    if (Number(length) !== spooled.length) {
      const message = `Content-Length says ${length} bytes, but the body has ${spooled.length}`;
      reply.refuse(400, new ArgumentError('FCGI_ERR_BODY_LENGTH', 'body', message));
      return;
    }
    if (!reply.isOver) this.#send(plan, request, incoming, spooled.body, spooled.length, reply);
  }

  #send(
    plan: RunScript,
    request: Req,
    incoming: Incoming,
    body: Body,
    contentLength: number | undefined,
    reply: Reply,
  ): void {
    const { onStderr, paramsOf, proxies, forwardedHeaders } = this.#settings;
    try {
      const facts = incoming.facts(contentLength);
      const trust = proxies ?? incoming.trust;
      const http = trust ? original(facts, trust, forwardedHeaders) : facts;
      const params = this.#site.params(
        http,
        http === facts ? plan : withoutAuthority(plan, facts, http),
        paramsOf(request),
      );
      const tell = onStderr && ((chunk: Uint8Array) => onStderr(chunk, request));
      this.#dispatcher.dispatch({ params, body, onStderr: tell }, reply);
    } catch (error) {
      // the client's doing, or what the function `params` threw
      reply.refuse(error instanceof ArgumentError && error.option !== 'params' ? 400 : 500, error);
    }
  }
}

/** A host that a trusted proxy names counts more than that of the URL, which is how the proxy has asked. */
function withoutAuthority(plan: RunScript, asked: HttpFacts, original: HttpFacts): RunScript {
  return asked.headers === original.headers ? plan : { ...plan, target: { ...plan.target, authority: '' } };
}
