import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import type { Dispatcher, DispatchHandler, DispatchRequest } from '../../src/pool/dispatcher.ts';
import { Pool } from '../../src/pool/pool.ts';
import { type FakeFpm, startFakeFpm } from '../../src/testing/index.ts';
import { Upstream } from '../../src/upstream/upstream.ts';
import { GET, gate, HEAD, POST } from './support.ts';

const store = new AsyncLocalStorage<string>();

/** Each callback with the store that it saw. */
type Seen = [callback: string, store: string | undefined][];

/** Dispatches in a context of its own, and gives what every callback saw once the last one was called. */
function seenBy(
  dispatcher: Dispatcher,
  id: string,
  request: Partial<DispatchRequest> = {},
  on: { start?: () => void; head?: () => void } = {},
): Promise<Seen> {
  const seen: Seen = [];
  const note = (callback: string): void => void seen.push([callback, store.getStore()]);
  return store.run(id, () => {
    return new Promise((resolve) => {
      const handler: DispatchHandler = {
        onRequestStart: () => {
          note('onRequestStart');
          on.start?.();
        },
        onResponseStart: () => {
          note('onResponseStart');
          on.head?.();
        },
        onResponseData: () => note('onResponseData'),
        onResponseEnd: () => {
          note('onResponseEnd');
          resolve(seen);
        },
        onResponseError: () => {
          note('onResponseError');
          resolve(seen);
        },
      };
      dispatcher.dispatch({ params: GET, onStderr: () => note('onStderr'), ...request }, handler);
    });
  });
}

const all = (id: string): Seen =>
  ['onRequestStart', 'onStderr', 'onResponseStart', 'onResponseData', 'onResponseEnd'].map((name) => [
    name,
    id,
  ]);

const answering = (): Promise<FakeFpm> =>
  startFakeFpm({
    workers: 1,
    script: async (_, response) => {
      await response.stderr('note');
      await response.stdout(`${HEAD}ok`);
    },
  });

describe.each<[string, (fpm: FakeFpm) => Dispatcher]>([
  ['Pool', (fpm) => new Pool(fpm.address, { connections: 1 })],
  ['Upstream', (fpm) => new Upstream([fpm.address], { connections: 1, backend: 'php-fpm' })],
])('%s: every callback runs in the async context of its own dispatch()', (_, open) => {
  it('on a connection that another request has opened', async () => {
    await using fpm = await answering();
    await using pool = open(fpm);
    for (const id of ['a', 'b', 'c']) expect(await seenBy(pool, id)).toEqual(all(id));
    expect(fpm.accepted).toBe(1);
  });

  it('after it has waited for another request', async () => {
    await using fpm = await answering();
    await using pool = open(fpm);
    const ids = ['a', 'b', 'c', 'd'];
    const seen = await Promise.all(ids.map((id) => seenBy(pool, id)));
    expect(seen).toEqual(ids.map(all));
    expect(fpm.accepted).toBe(1);
  });

  it('after it was sent again', async () => {
    let leaving = false;
    await using fpm = await startFakeFpm({
      workers: 1,
      maxRequests: 2,
      script: async (_, response) => {
        await response.stderr('note');
        await response.stdout(`${HEAD}ok`);
        leaving = !leaving;
      },
    });
    await using pool = open(fpm);
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    // A worker that is asked whether it is back is seen to leave: then nothing is sent again.
    for (let round = 0; round < 100 && pool.stats.retried === 0; round++) {
      const seen = await Promise.all(ids.map((id) => seenBy(pool, id, { params: POST, body: 'x' })));
      expect(seen).toEqual(ids.map(all));
    }
    expect(pool.stats.retried).toBeGreaterThan(0);
  });

  it('where its signal, destroy(), or a timeout ends it', async () => {
    await using fpm = await startFakeFpm({ workers: 4, script: (_request, response) => response.hang() });
    await using pool = open(fpm);
    const controller = new AbortController();
    const started = gate();
    const aborted = seenBy(pool, 'a', { signal: controller.signal }, { start: started.open });
    const waiting = seenBy(pool, 'b', { signal: controller.signal });
    await started.opened;
    store.run('another', () => controller.abort());
    const timedOut = await seenBy(pool, 'c', { headersTimeout: 30 });
    const destroyed = seenBy(pool, 'd');
    await fpm.executed(2);
    await store.run('another', () => pool.destroy());
    expect(await Promise.all([aborted, waiting, timedOut, destroyed])).toEqual(
      ['a', 'b', 'c', 'd'].map((id) => [
        ['onRequestStart', id],
        ['onResponseError', id],
      ]),
    );
  });

  it('the body of the request is read in it, and that of the response, too', async () => {
    await using fpm = await startFakeFpm({
      workers: 1,
      script: async (request, response) => {
        await response.stdout(HEAD);
        await response.stdout(await request.body.bytes());
      },
    });
    await using pool = open(fpm);
    const seen: Seen = [];
    const note = (callback: string): void => void seen.push([callback, store.getStore()]);
    async function* pieces(): AsyncGenerator<string> {
      for (let i = 0; i < 3; i++) {
        note('piece');
        yield 'x'.repeat(30_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    const one = (id: string): Promise<void> =>
      store.run(id, async () => {
        const params = { ...POST, CONTENT_LENGTH: '90000' };
        const response = await pool.request({ params, body: pieces() });
        note('request()');
        const { ended } = response;
        response.body.on('data', () => note('data'));
        await new Promise<void>((resolve) => response.body.on('end', resolve).on('end', () => note('end')));
        await ended;
        note('ended');
      });
    for (const id of ['a', 'b']) {
      seen.length = 0;
      await one(id);
      expect(new Set(seen.map(([callback]) => callback))).toEqual(
        new Set(['piece', 'request()', 'data', 'end', 'ended']),
      );
      expect(seen.filter(([, its]) => its !== id)).toEqual([]);
    }
    seen.length = 0;
    const both = await Promise.all([seenBy(pool, 'c', {}), seenBy(pool, 'd', {})]);
    for (const [i, id] of ['c', 'd'].entries()) expect(both[i]?.every(([, its]) => its === id)).toBe(true);
  });
});

it('an Upstream: a request that the next server had to take is still in its own context', async () => {
  await using fpm = await answering();
  await using pool = new Upstream(['unix:/nowhere/fpm.sock', fpm.address], { connections: 1 });
  for (const id of ['a', 'b', 'c']) expect(await seenBy(pool, id)).toEqual(all(id));
});
