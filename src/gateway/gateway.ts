/** The way of a request through the gateway, the same for every server it may have come by. */
import type { HttpFacts } from '../cgi/env.ts';
import { ArgumentError } from '../errors.ts';
import type { Body, Dispatcher } from '../upstream/dispatcher.ts';
import { type GatewayOptions, readOptions, type Settings } from './options.ts';
import { Reply, type Sink } from './reply.ts';
import { type Place, type Plan, type Run, Site } from './site.ts';
import { type Spooled, spool } from './spool.ts';

/** A request as its adapter knows it. */
export interface Incoming {
  /** Content-Length as it came. */
  readonly length: string | undefined;
  /** Null: there is none. */
  readonly body: AsyncIterable<Uint8Array> | null;
  /** `contentLength` in bytes, where the body had to be counted. */
  facts(contentLength?: number): HttpFacts;
}

export class Gateway<Req> {
  readonly #dispatcher: Dispatcher;
  readonly #settings: Settings<Req>;
  readonly #site: Site;

  /** @throws ArgumentError FCGI_ERR_INVALID_ARG, naming the option. */
  constructor(dispatcher: Dispatcher, options: GatewayOptions<Req>) {
    if (typeof dispatcher?.dispatch !== 'function') {
      const message = 'The first argument, dispatcher, must be one: a Pool or an Upstream';
      throw new ArgumentError('FCGI_ERR_INVALID_ARG', 'dispatcher', message);
    }
    this.#dispatcher = dispatcher;
    this.#settings = readOptions(options);
    this.#site = new Site(this.#settings);
  }

  plan(place: Place): Plan {
    return this.#site.plan(place);
  }

  replyBy(sink: Sink, method: string, request: Req): Reply {
    const { onError } = this.#settings;
    return new Reply(sink, {
      method,
      // later, so that what a log throws cannot break the reply off
      report: (error) => onError && queueMicrotask(() => onError(error, request)),
    });
  }

  /** Everything from the body on: what goes wrong comes to `reply`. */
  run(plan: Run, request: Req, incoming: Incoming, reply: Reply): void {
    const { length, body } = incoming;
    if (Number(length) > this.#settings.maxBodySize) reply.refuse(413);
    else if (body === null || length === '0') this.#send(plan, request, incoming, null, undefined, reply);
    else if (length !== undefined) this.#send(plan, request, incoming, body, undefined, reply);
    else void this.#count(plan, request, incoming, body, reply);
  }

  async #count(
    plan: Run,
    request: Req,
    incoming: Incoming,
    body: AsyncIterable<Uint8Array>,
    reply: Reply,
  ): Promise<void> {
    let spooled: Spooled | null;
    try {
      spooled = await spool(body, this.#settings.spool);
    } catch (error) {
      // no space left, say; where the client broke off, nobody is there to be told
      reply.refuse(500, error);
      return;
    }
    if (!spooled) {
      reply.refuse(413);
      return;
    }
    reply.hold(spooled.release);
    if (!reply.isOver) this.#send(plan, request, incoming, spooled.body, spooled.length, reply);
  }

  #send(
    plan: Run,
    request: Req,
    incoming: Incoming,
    body: Body,
    contentLength: number | undefined,
    reply: Reply,
  ): void {
    const { onStderr, paramsOf } = this.#settings;
    try {
      const params = this.#site.params(incoming.facts(contentLength), plan, paramsOf(request));
      const tell = onStderr && ((chunk: Uint8Array) => onStderr(chunk, request));
      this.#dispatcher.dispatch({ params, body, onStderr: tell }, reply);
    } catch (error) {
      // the client's doing, or what the function `params` threw
      reply.refuse(error instanceof ArgumentError ? 400 : 500, error);
    }
  }
}
