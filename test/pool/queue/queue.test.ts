import { expect, it } from 'vitest';
import { Pool } from '../../../src/pool/pool.ts';
import { type FakeFpm, startFakeFpm } from '../../../src/testing/index.ts';
import { ended, type Gate, GET, gate, Recorder, text } from '../support.ts';

/** One connection, and a request on it that is held until `hold` opens. */
async function busy(
  options: object,
): Promise<AsyncDisposable & { fpm: FakeFpm; pool: Pool; hold: Gate; first: Promise<string> }> {
  const hold = gate();
  const fpm = await startFakeFpm({ onRequest: ({ params }) => (params['HELD'] ? hold.opened : undefined) });
  const pool = new Pool(fpm.address, { connections: 1, ...options });
  const first = text(pool, { params: { ...GET, HELD: '1' } });
  return {
    fpm,
    pool,
    hold,
    first,
    [Symbol.asyncDispose]: async () => {
      hold.open();
      await first;
      await pool.close();
      await fpm.stop();
    },
  };
}

it('requests are served in the order in which they came', async () => {
  await using one = await busy({});
  const all = Array.from({ length: 10 }, (_, i) => ended(one.pool, { params: { ...GET, N: String(i) } }));
  expect(one.pool.stats.queued).toBe(10);
  one.hold.open();
  await Promise.all(all);
  expect(one.fpm.requests.slice(1).map(({ params }) => params['N'])).toEqual([...'0123456789']);
});

it('more than queueSize fail at once, and say so', async () => {
  await using one = await busy({ queueSize: 2 });
  const waiting = [1, 2].map(() => text(one.pool, { params: GET }));
  await expect(one.pool.request({ params: GET })).rejects.toMatchObject({
    code: 'FCGI_ERR_QUEUE_FULL',
    executed: 'no',
    attempts: 0,
    phase: 'queued',
  });
  one.hold.open();
  expect(await Promise.all(waiting)).toEqual(['ok', 'ok']);
});

it('queueSize 0: what finds no connection fails at once, what finds one is served', async () => {
  await using one = await busy({ queueSize: 0 });
  await expect(one.pool.request({ params: GET })).rejects.toMatchObject({ code: 'FCGI_ERR_QUEUE_FULL' });
  one.hold.open();
  await one.first;
  expect(await text(one.pool, { params: GET })).toBe('ok');
});

it('a request that waits longer than queueTimeout fails, one that came later still may', async () => {
  await using one = await busy({ queueTimeout: 60 });
  const begun = performance.now();
  await expect(one.pool.request({ params: GET })).rejects.toMatchObject({
    code: 'FCGI_ERR_QUEUE_TIMEOUT',
    executed: 'no',
    attempts: 0,
  });
  expect(performance.now() - begun).toBeGreaterThanOrEqual(60);
  const later = text(one.pool, { params: GET });
  one.hold.open();
  expect(await later).toBe('ok');
});

it('a request aborted while it waits fails with the reason at once and is never sent', async () => {
  await using one = await busy({});
  const abort = new AbortController();
  const waiting = one.pool.request({ params: { ...GET, N: 'aborted' }, signal: abort.signal });
  abort.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  expect(one.pool.stats.queued).toBe(0);
  one.hold.open();
  expect(await text(one.pool, { params: GET })).toBe('ok');
  expect(one.fpm.requests.some(({ params }) => params['N'] === 'aborted')).toBe(false);
});

it('a waiting request that its controller gives up is never sent either', async () => {
  await using one = await busy({});
  const recorder = new Recorder();
  one.pool.dispatch({ params: { ...GET, N: 'aborted' } }, recorder);
  recorder.controller?.abort(new Error('enough'));
  expect(recorder.events).toEqual(['request', 'error']);
  one.hold.open();
  await ended(one.pool, { params: GET });
  expect(one.fpm.requests.some(({ params }) => params['N'] === 'aborted')).toBe(false);
});

it('a request that failed in the queue does not hold up those behind it', async () => {
  await using one = await busy({});
  const broken = one.pool.request({ params: { ...GET, BAD: 'a\0b' } });
  const behind = text(one.pool, { params: GET });
  one.hold.open();
  await expect(broken).rejects.toMatchObject({ code: 'FCGI_ERR_INVALID_ARG' });
  expect(await behind).toBe('ok');
});
