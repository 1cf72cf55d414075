import { context, diag, propagation, type Span, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Pool } from '../../src/index.ts';
import { FastcgiInstrumentation } from '../../src/observe/opentelemetry.ts';
import { startFakeFpm } from '../../src/testing/index.ts';
import { startFpm } from '../fpm/support/index.ts';
import { GET, gate, HEAD, Recorder, text } from '../pool/support.ts';
import { KEPT } from './support.ts';

const spans = new InMemorySpanExporter();
const figures = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
const reader = new PeriodicExportingMetricReader({ exporter: figures, exportIntervalMillis: 3_600_000 });
const meters = new MeterProvider({ readers: [reader] });
const tracer = provider.getTracer('test');
let instrumentation: FastcgiInstrumentation;

beforeAll(() => provider.register());
afterAll(async () => {
  await provider.shutdown();
  await meters.shutdown();
  trace.disable();
  context.disable();
  propagation.disable();
});
beforeEach(() => {
  instrumentation = new FastcgiInstrumentation();
  instrumentation.setTracerProvider(provider);
  instrumentation.setMeterProvider(meters);
});
afterEach(() => {
  instrumentation.disable();
  spans.reset();
});

function only(): ReadableSpan {
  const [span, ...others] = spans.getFinishedSpans();
  expect(others).toEqual([]);
  if (span === undefined) throw new Error('there is no span');
  return span;
}

/** What a span has in its traceparent. */
function traceparent(span: ReadableSpan | Span): string {
  const { traceId, spanId } = span.spanContext();
  return `00-${traceId}-${spanId}-01`;
}

/** The values of a metric, with their attributes. */
async function metric(name: string): Promise<{ attributes: object; value: unknown }[]> {
  await reader.forceFlush();
  const all =
    figures
      .getMetrics()
      .at(-1)
      ?.scopeMetrics.flatMap(({ metrics }) => metrics) ?? [];
  return all
    .filter(({ descriptor }) => descriptor.name === name)
    .flatMap(({ dataPoints }) => dataPoints.map(({ attributes, value }) => ({ attributes, value })));
}

describe('the span of a request', () => {
  it("is a client span with the conventions' attributes, and a child of the active one", async () => {
    await using fpm = await startFakeFpm({ transport: 'tcp' });
    await using pool = new Pool(fpm.address);
    const params = { ...GET, SCRIPT_NAME: '/index.php', REQUEST_URI: '/blog/7?secret=1' };
    await tracer.startActiveSpan('outer', async (outer) => {
      expect(await text(pool, { params })).toBe('ok');
      const span = only();
      expect(span.name).toBe('GET /index.php');
      expect(span.kind).toBe(2);
      expect(span.parentSpanContext?.spanId).toBe(outer.spanContext().spanId);
      expect(span.attributes).toEqual({
        'network.protocol.name': 'fastcgi',
        'network.transport': 'tcp',
        'http.request.method': 'GET',
        'http.response.status_code': 200,
        'url.path': '/blog/7',
        'server.address': '127.0.0.1',
        'server.port': Number(fpm.address.split(':')[1]),
        'fastcgi.client.script': '/srv/index.php',
        'fastcgi.client.connection.reused': false,
        'fastcgi.client.executed': 'yes',
      });
      expect(span.status).toEqual({ code: 0 });
      outer.end();
    });
  });

  it('is what PHP has in $_SERVER, also where the request is sent again', async () => {
    await using fpm = await startFpm({ maxChildren: 4, maxRequests: 1 });
    const script = fpm.script('echo.php', 'echo $_SERVER["HTTP_TRACEPARENT"];');
    await using pool = new Pool(fpm.address, KEPT);
    const params = { ...script, HTTP_TRACESTATE: 'of=client' };
    const second = new Recorder();
    const first = new Recorder();
    // In the very turn in which the first one ends, on a connection whose worker is just leaving.
    first.onResponseEnd = () => pool.dispatch({ params }, second);
    pool.dispatch({ params }, first);
    await second.over;
    const [one, two] = spans.getFinishedSpans();
    if (one === undefined || two === undefined) throw new Error('two spans are missing');
    // The handler is told before the span ends.
    const bySpan = new Map([one, two].map((span) => [traceparent(span), span]));
    const seen = [first, second].map(({ chunks }) => Buffer.concat(chunks).toString());
    expect(new Set(seen)).toEqual(new Set(bySpan.keys()));
    const resent = bySpan.get(seen[1] ?? '');
    expect(second.ended?.attempts).toBe(2);
    expect(resent?.attributes).toMatchObject({
      'http.request.resend_count': 1,
      'server.address': fpm.address.slice('unix:'.length),
      'network.transport': 'unix',
    });
    expect(resent?.attributes).not.toHaveProperty('server.port');
    expect(resent?.events).toMatchObject([
      {
        name: 'fastcgi.client.retry',
        attributes: {
          'error.type': expect.stringMatching(/^FCGI_ERR_SOCKET/),
          'fastcgi.client.executed': 'no',
          'fastcgi.client.hint': expect.stringContaining('pm.max_requests'),
        },
      },
    ]);
    expect(bySpan.get(seen[0] ?? '')?.attributes).not.toHaveProperty('http.request.resend_count');
    expect(await metric('fastcgi.client.request.retries')).toMatchObject([
      { attributes: { 'fastcgi.client.executed': 'no' }, value: 1 },
    ]);
    expect(params).not.toHaveProperty('HTTP_TRACEPARENT');
  });

  it("goes on with the client's trace, where no other span is active", async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address);
    const from = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await text(pool, { params: { ...GET, HTTP_TRACEPARENT: Buffer.from(from) } });
    const span = only();
    expect(span.spanContext().traceId).toBe('0af7651916cd43dd8448eb211c80319c');
    expect(span.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
    expect(fpm.requests[0]?.params['HTTP_TRACEPARENT']).toBe(traceparent(span));
  });

  it("says how a request failed: our error's code, what was seen, and PHP's status from 400 on", async () => {
    await using fpm = await startFakeFpm({
      script: async (_, response) => response.stdout(`Status: 503 Busy\r\n${HEAD}no`),
    });
    await using pool = new Pool(fpm.address);
    await text(pool, { params: { ...GET, REQUEST_METHOD: 'BREW' } });
    expect(only()).toMatchObject({
      name: 'HTTP',
      status: { code: 2 },
      attributes: {
        'error.type': '503',
        'http.request.method': '_OTHER',
        'http.request.method_original': 'BREW',
      },
    });
    spans.reset();
    await using gone = new Pool('unix:/nonexistent/fpm.sock', { connectTimeout: 1 });
    await expect(text(gone, { params: GET })).rejects.toThrow();
    expect(only()).toMatchObject({
      status: { code: 2, message: expect.stringContaining('/nonexistent/fpm.sock') },
      attributes: {
        'error.type': expect.stringMatching(/^FCGI_ERR_CONNECT/),
        'server.address': '/nonexistent/fpm.sock',
        'fastcgi.client.executed': 'no',
        'fastcgi.client.phase': 'connecting',
      },
      events: [{ name: 'exception' }],
    });
    spans.reset();
    await expect(text(pool, { params: GET, signal: AbortSignal.abort() })).rejects.toThrow();
    expect(only().attributes).toMatchObject({ 'error.type': 'AbortError', 'fastcgi.client.executed': 'no' });
  });

  it('is made all the same where a hook throws, of which the logger is told and the process does not end', async () => {
    const told: unknown[] = [];
    const hear = (...what: unknown[]): void => void told.push(...what);
    const quiet = (): void => {};
    diag.setLogger({ error: hear, warn: quiet, info: quiet, debug: quiet, verbose: quiet });
    try {
      const thrown = [new Error('first'), new Error('second')];
      const throwing = (error: unknown) => (): never => {
        throw error;
      };
      instrumentation.setConfig({
        ignoreRequestHook: throwing(thrown[0]),
        requestHook: throwing(thrown[1]),
      });
      await using fpm = await startFakeFpm();
      await using pool = new Pool(fpm.address);
      expect(await text(pool, { params: GET })).toBe('ok');
      expect(only().attributes).toMatchObject({ 'http.response.status_code': 200 });
      expect(told).toEqual(expect.arrayContaining(thrown));
    } finally {
      diag.disable();
    }
  });

  it('is left out where a hook says so, and has what a hook adds', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address);
    instrumentation.setConfig({
      ignoreRequestHook: ({ params }) => params['REQUEST_URI'] === '/ping',
      requestHook: (span) => void span.setAttribute('site', 'blog'),
    });
    await text(pool, { params: { ...GET, REQUEST_URI: '/ping' } });
    expect(spans.getFinishedSpans()).toEqual([]);
    expect(fpm.requests[0]?.params).not.toHaveProperty('HTTP_TRACEPARENT');
    await text(pool, { params: GET });
    expect(only().attributes['site']).toBe('blog');
  });

  it('is made once however often the instrumentation is enabled, and not while it is not', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address);
    instrumentation.enable();
    await text(pool, { params: GET });
    only();
    instrumentation.disable();
    await text(pool, { params: GET });
    only();
    const off = new FastcgiInstrumentation({ enabled: false });
    off.setTracerProvider(provider);
    await text(pool, { params: GET });
    only();
    off.enable();
    await text(pool, { params: GET });
    expect(spans.getFinishedSpans()).toHaveLength(2);
    off.disable();
  });

  it('ends when the instrumentation is disabled while the request runs', async () => {
    const held = gate();
    await using fpm = await startFakeFpm({ onRequest: () => held.opened });
    await using pool = new Pool(fpm.address);
    const running = text(pool, { params: GET });
    instrumentation.disable();
    expect(only().ended).toBe(true);
    held.open();
    await running;
    only();
  });
});

describe('metrics', () => {
  it('count requests, connections and refusals', async () => {
    const held = gate();
    await using fpm = await startFakeFpm({ transport: 'tcp', onRequest: () => held.opened });
    const where = {
      'server.address': '127.0.0.1',
      'server.port': Number(fpm.address.split(':')[1]),
      'network.transport': 'tcp',
    };
    const pool = new Pool(fpm.address, { ...KEPT, connections: 1, queueSize: 0 });
    const first = text(pool, { params: GET });
    await expect(text(pool, { params: GET })).rejects.toThrow();
    held.open();
    await first;
    await pool.close();
    const of = async (name: string): Promise<{ attributes: object; value: unknown }[]> =>
      (await metric(name)).filter(({ attributes }) =>
        Object.entries(where).every(([key, value]) => Reflect.get(attributes, key) === value),
      );
    expect(await of('http.client.request.duration')).toEqual([
      {
        attributes: {
          ...where,
          'network.protocol.name': 'fastcgi',
          'http.request.method': 'GET',
          'http.response.status_code': 200,
        },
        value: expect.objectContaining({ count: 1 }),
      },
    ]);
    expect(await of('fastcgi.client.connect.duration')).toMatchObject([
      { attributes: where, value: { count: 1 } },
    ]);
    expect(await of('fastcgi.client.connection.closed')).toEqual([
      { attributes: { ...where, 'fastcgi.client.close.reason': 'pool-closed' }, value: 1 },
    ]);
    expect(await metric('fastcgi.client.request.refused')).toContainEqual({
      attributes: { 'error.type': 'FCGI_ERR_QUEUE_FULL' },
      value: 1,
    });
  });
});
