/** `fastcgi-pool/opentelemetry`: spans and metrics of requests to PHP, and our span as PHP's parent. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  type Counter,
  context,
  type Histogram,
  type Meter,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import {
  InstrumentationBase,
  type InstrumentationConfig,
  safeExecuteInTheMiddle,
} from '@opentelemetry/instrumentation';
import {
  CHANNELS,
  type ConnectionClosed,
  type ConnectMessage,
  type RequestMessage,
  type RequestRefused,
  type RequestRetry,
} from '../connection/channels.ts';
import { errorCode, isError } from '../errors.ts';
import {
  endAttributes,
  errorType,
  metricAttributes,
  requestAttributes,
  serverAttributes,
  spanName,
} from './opentelemetry/attributes.ts';
import { inject, parentOf } from './opentelemetry/propagation.ts';

export type { RequestMessage } from '../connection/channels.ts';

export interface FastcgiInstrumentationConfig extends InstrumentationConfig {
  /** True: no span and no metric for this request, and nothing is put into its params. Default: none is left out. */
  readonly ignoreRequestHook?: ((message: RequestMessage) => boolean) | undefined;
  /** Adds attributes of your own, as the request begins. Default: none. */
  readonly requestHook?: ((span: Span, message: RequestMessage) => void) | undefined;
}

/** Of one request, from its start to its end. */
interface Running {
  readonly span: Span;
  /** ms. */
  readonly startedAt: number;
}

interface Metrics {
  readonly duration: Histogram;
  readonly connect: Histogram;
  readonly retries: Counter;
  readonly refused: Counter;
  readonly closed: Counter;
}

/** The conventions' for durations of HTTP requests, s. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/**
 * A client span and its metrics for each request of every Pool and Upstream of the process, by way of our channels: nothing is
 * patched. `registerInstrumentations({ instrumentations: [new FastcgiInstrumentation()] })`.
 *
 * Spans have the attributes of HTTP client spans (`http.request.method`, `http.response.status_code`,
 * `http.request.resend_count`, `error.type`, `server.address`, which is the path of a unix socket) and our own,
 * `fastcgi.client.*`; a request that is sent again is still one span, with an event for each time.
 * Metrics: `http.client.request.duration`, and `fastcgi.client.connect.duration`, `.request.retries`, `.request.refused`
 * and `.connection.closed`.
 */
export class FastcgiInstrumentation extends InstrumentationBase<FastcgiInstrumentationConfig> {
  readonly #running: Map<RequestMessage, Running> = new Map();
  readonly #connecting: WeakMap<ConnectMessage, number> = new WeakMap();
  #metrics: Metrics;
  #stops: readonly (() => void)[] = [];

  constructor(config: FastcgiInstrumentationConfig = {}) {
    // The base class would enable it before its own members are there.
    super('fastcgi-pool', '1', { ...config, enabled: false });
    this.#metrics = metricsOf(this.meter);
    this.setConfig(config);
    if (config.enabled !== false) this.enable();
  }

  protected override init(): [] {
    return [];
  }

  override enable(): void {
    if (this.#stops.length > 0) return;
    this.#stops = [
      listen<RequestMessage>(`tracing:${CHANNELS.request}:start`, (message) => this.#onStart(message)),
      listen<RequestMessage>(`tracing:${CHANNELS.request}:asyncStart`, (message) => this.#onEnd(message)),
      listen<ConnectMessage>(`tracing:${CHANNELS.connect}:start`, (message) => {
        this.#connecting.set(message, performance.now());
      }),
      listen<ConnectMessage>(`tracing:${CHANNELS.connect}:asyncStart`, (message) =>
        this.#onConnected(message),
      ),
      listen<RequestRetry>(CHANNELS.retry, (message) => this.#onRetry(message)),
      listen<RequestRefused>(CHANNELS.refused, ({ code }) => {
        this.#metrics.refused.add(1, { 'error.type': code });
      }),
      listen<ConnectionClosed>(CHANNELS.connectionClosed, (message) => {
        const attributes = { ...serverAttributes(message), 'fastcgi.client.close.reason': message.reason };
        this.#metrics.closed.add(1, attributes);
      }),
    ];
  }

  override disable(): void {
    // The base class calls it, too, while it is being made.
    if (!(#stops in this)) return;
    for (const stop of this.#stops) stop();
    this.#stops = [];
    // nobody will hear of their end: PHP's spans, and those of a script, would have a parent that never comes
    for (const { span } of this.#running.values()) span.end();
    this.#running.clear();
  }

  /** Called by the base class for each new meter provider, for the first time while it is being made. */
  protected override _updateMetricInstruments(): void {
    if (#stops in this) this.#metrics = metricsOf(this.meter);
  }

  #onStart(message: RequestMessage): void {
    const { ignoreRequestHook, requestHook } = this.getConfig();
    if (this.#hook('ignoreRequestHook', () => ignoreRequestHook?.(message)) === true) return;
    const parent = parentOf(context.active(), message.params);
    const span = this.tracer.startSpan(
      spanName(message),
      { kind: SpanKind.CLIENT, attributes: requestAttributes(message) },
      parent,
    );
    this.#running.set(message, { span, startedAt: performance.now() });
    inject(trace.setSpan(parent, span), message.params);
    this.#hook('requestHook', () => requestHook?.(span, message));
  }

  /** What it throws is told to OpenTelemetry's own logger: out of a subscriber it would end the process. */
  #hook<T>(name: string, call: () => T): T {
    return safeExecuteInTheMiddle(
      call,
      (error) => {
        if (error) this._diag.error(`${name} has thrown`, error);
      },
      true,
    );
  }

  #onEnd(message: RequestMessage): void {
    const running = this.#running.get(message);
    if (running === undefined) return;
    this.#running.delete(message);
    const { span, startedAt } = running;
    span.setAttributes(endAttributes(message));
    if (isError(message.error)) span.recordException(message.error);
    if (errorType(message) !== '') {
      const { error } = message;
      span.setStatus({
        code: SpanStatusCode.ERROR,
        ...(isError(error) ? { message: error.message } : {}),
      });
    }
    span.end();
    this.#metrics.duration.record((performance.now() - startedAt) / 1000, metricAttributes(message));
  }

  #onRetry(message: RequestRetry): void {
    const { request, executed, phase, hint, error } = message;
    const attributes = {
      ...serverAttributes(message),
      'error.type': errorType({ ...request, error }),
      'fastcgi.client.executed': executed,
      'fastcgi.client.phase': phase,
    };
    this.#metrics.retries.add(1, attributes);
    const event = hint === '' ? attributes : { ...attributes, 'fastcgi.client.hint': hint };
    this.#running.get(request)?.span.addEvent('fastcgi.client.retry', event);
  }

  #onConnected(message: ConnectMessage): void {
    const startedAt = this.#connecting.get(message);
    if (startedAt === undefined) return;
    const { error } = message;
    const code = errorCode(error);
    const failed = code === '' ? {} : { 'error.type': code };
    this.#metrics.connect.record((performance.now() - startedAt) / 1000, {
      ...serverAttributes(message),
      ...failed,
    });
  }
}

function listen<T>(channel: string, told: (message: T) => void): () => void {
  const onMessage = (message: unknown): void => told(message as T);
  subscribe(channel, onMessage);
  return () => unsubscribe(channel, onMessage);
}

function metricsOf(meter: Meter): Metrics {
  const seconds = { unit: 's', advice: { explicitBucketBoundaries: BUCKETS } };
  return {
    duration: meter.createHistogram('http.client.request.duration', {
      ...seconds,
      description: 'Duration of requests to PHP, the wait for a connection included.',
    }),
    connect: meter.createHistogram('fastcgi.client.connect.duration', {
      ...seconds,
      description: 'How long it took to get connected, or to fail to.',
    }),
    retries: meter.createCounter('fastcgi.client.request.retries', {
      unit: '{request}',
      description: 'Requests that were sent once more, or given to another server.',
    }),
    refused: meter.createCounter('fastcgi.client.request.refused', {
      unit: '{request}',
      description: 'Requests that were turned away, as the queue was too long or too slow.',
    }),
    closed: meter.createCounter('fastcgi.client.connection.closed', {
      unit: '{connection}',
      description: 'Closed connections by reason.',
    }),
  };
}
