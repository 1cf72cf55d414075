// A span for each request to PHP, printed: FPM=unix:/run/php/php-fpm.sock node examples/opentelemetry.mjs
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { ConsoleSpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { buildParams, Pool } from 'fastcgi-pool';
import { FastcgiInstrumentation } from 'fastcgi-pool/opentelemetry';

// In place of the console, an exporter of yours: @opentelemetry/exporter-trace-otlp-http, say.
const provider = new NodeTracerProvider({
  spanProcessors: [new SimpleSpanProcessor(new ConsoleSpanExporter())],
});
provider.register();
const stop = registerInstrumentations({ instrumentations: [new FastcgiInstrumentation()] });

const fpm = new Pool(process.env.FPM ?? 'unix:/run/php/php-fpm.sock');
const params = buildParams(
  { method: 'GET', url: '/route.php/hello/node', headers: [['Host', 'localhost']] },
  { root: `${import.meta.dirname}/site` },
);

// PHP has the span as its parent: $_SERVER['HTTP_TRACEPARENT'].
const response = await fpm.request({ params });
await response.body.text();

await fpm.close();
stop();
await provider.shutdown();
