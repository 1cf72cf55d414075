import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, it } from 'vitest';
import { Pool, type RequestMessage } from '../../src/index.ts';
import { startFakeFpm } from '../../src/testing/index.ts';
import { GET, text } from '../pool/support.ts';
import { KEPT } from './support.ts';

const CHANNELS = ['request:queued', 'request:headers', 'request:retry', 'request:stderr'];
const TRACED = ['connect:start', 'connect:end', 'connect:asyncStart', 'connect:asyncEnd'];

it('listeners hear of a request in its own context, also where another one has opened or freed its connection', async () => {
  await using fpm = await startFakeFpm({
    maxRequests: 1,
    workers: 4,
    script: async (_request, response) => {
      await response.stderr('PHP message: PHP Notice:  x in /a.php on line 1\n');
      await response.stdout('Content-Type: text/plain\r\n\r\nok');
    },
  });
  await using pool = new Pool(fpm.address, { ...KEPT, connections: 1 });
  const own = new AsyncLocalStorage<string>();
  const heard: [channel: string, request: unknown, context: unknown][] = [];
  const stops = [
    ...CHANNELS.map((name) => `fastcgi-pool:${name}`),
    ...TRACED.map((name) => `tracing:fastcgi-pool:${name}`),
  ].map((name) => {
    const note = (message: unknown): void => {
      const { request } = message as { request: RequestMessage };
      heard.push([name, request.params['QUERY_STRING'], own.getStore()]);
    };
    subscribe(name, note);
    return () => unsubscribe(name, note);
  });
  const asked = (name: string): Promise<string> =>
    own.run(name, () => text(pool, { params: { ...GET, QUERY_STRING: name } }));
  try {
    expect(await Promise.all(['first', 'second', 'third'].map(asked))).toEqual(['ok', 'ok', 'ok']);
  } finally {
    for (const stop of stops) stop();
  }
  expect(new Set(heard.map(([channel]) => channel)).size).toBe(stops.length);
  expect(heard.filter(([, request, context]) => request !== context)).toEqual([]);
});
