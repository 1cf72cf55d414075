/** The way of a request through the gateway, the same for every server it may have come by. */
import type { HttpFacts, Params } from '../cgi/env.ts';
import { ArgumentError } from '../errors.ts';
import type { Body, Dispatcher } from '../upstream/dispatcher.ts';
import { type GatewayOptions, readOptions, type Settings } from './options.ts';
import { Reply, type Sink } from './reply.ts';
import { type Place, type Plan, type Run, Site } from './site.ts';
import { spool } from './spool.ts';

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
    else if (body === null || length === '0') this.#send(plan, request, incoming.facts(), null, reply);
    else if (length !== undefined) this.#send(plan, request, incoming.facts(), body, reply);
    else this.#count(plan, request, incoming, body, reply);
  }

  #count(plan: Run, request: Req, incoming: Incoming, body: AsyncIterable<Uint8Array>, reply: Reply): void {
    spool(body, this.#settings.spool).then(
      (spooled) => {
        if (!spooled) {
          reply.refuse(413);
          return;
        }
        reply.hold(spooled.release);
        if (!reply.isOver) this.#send(plan, request, incoming.facts(spooled.length), spooled.body, reply);
      },
      // no space left, say; where the client broke off, nobody is there to be told
      (error: unknown) => reply.refuse(500, error),
    );
  }

  #send(plan: Run, request: Req, http: HttpFacts, body: Body, reply: Reply): void {
    const { onStderr, paramsOf } = this.#settings;
    let params: Params;
    try {
      params = this.#site.params(http, plan, paramsOf(request));
    } catch (error) {
      // the client's doing, or what the function `params` threw
      reply.refuse(error instanceof ArgumentError ? 400 : 500, error);
      return;
    }
    const tell = onStderr && ((chunk: Uint8Array) => onStderr(chunk, request));
    this.#dispatcher.dispatch({ params, body, onStderr: tell }, reply);
  }
}
