import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { FailureFacts, FcgiError } from '../../src/errors.ts';
import type { DispatchRequest } from '../../src/pool/dispatcher.ts';
import { Pool } from '../../src/pool/pool.ts';
import { startFakeFpm } from '../../src/testing/index.ts';
import { Upstream } from '../../src/upstream/upstream.ts';
import { waitFor } from '../fpm/support/index.ts';
import { KEPT } from '../observe/support.ts';
import { ended, GET, gate, HEAD, POST, PUT, Recorder } from './support.ts';

/** A clock is not exact to the last microsecond, and timers may be early by a fraction of a ms. */
const LEEWAY = 2;

describe('how a request went', () => {
  it('`ended` names the server and says where the time went', async () => {
    const answer = gate();
    const rest = gate();
    await using fpm = await startFakeFpm({
      script: async (_, response) => {
        await answer.opened;
        await response.stdout(HEAD);
        await rest.opened;
      },
    });
    await using pool = new Pool(fpm.address, { connections: 1 });
    const started = performance.now();
    const first = ended(pool, { params: GET });
    // The first request of a process takes some ms to hand over.
    const secondAt = performance.now();
    const second = ended(pool, { params: GET });
    await fpm.executed(1);
    const executedAfter = performance.now() - secondAt;
    answer.open();
    rest.open();
    const [one, two] = await Promise.all([first, second]);
    const took = performance.now() - started;
    expect(one).toMatchObject({ server: fpm.address, reused: false });
    expect(two).toMatchObject({ server: fpm.address, reused: true });
    expect(one.times.connecting).toBeGreaterThan(0);
    expect(two.times.connecting).toBe(0);
    expect(two.times.queued).toBeGreaterThanOrEqual(executedAfter - LEEWAY);
    expect(one.times.queued).toBeLessThan(two.times.queued);
    for (const { queued, connecting, firstByte, total } of [one.times, two.times]) {
      expect(firstByte).toBeGreaterThanOrEqual(queued + connecting);
      expect(total).toBeGreaterThanOrEqual(firstByte ?? Number.POSITIVE_INFINITY);
      expect(total).toBeLessThanOrEqual(took + LEEWAY);
    }
  });

  it('one that is given up by its own callback, its response being whole, was sent on a connection all the same', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address, KEPT);
    await ended(pool, { params: GET });
    const given: Partial<FailureFacts>[] = [];
    const handler = new Recorder();
    handler.onResponseStart = (controller) => controller.abort(new Error('not wanted'));
    handler.onResponseError = ({ facts }) => given.push(facts ?? {});
    pool.dispatch({ params: GET, onAbort: (facts) => given.push(facts) }, handler);
    await waitFor(() => given.length === 2);
    for (const facts of given) expect(facts).toMatchObject({ reused: true, requestsOnConnection: 2 });
    for (const { bytesSent } of given) expect(bytesSent).toBeGreaterThan(50);
  });

  it('an error does, too: no byte came', async () => {
    await using fpm = await startFakeFpm({ script: (_request, response) => response.hang() });
    await using pool = new Pool(fpm.address);
    const error: FcgiError = await pool.request({ params: GET, headersTimeout: 60 }).then(
      () => expect.fail('it was answered'),
      (reason) => reason,
    );
    expect(error).toMatchObject({ server: fpm.address, times: { firstByte: null } });
    expect(error.times.total).toBeGreaterThanOrEqual(60 - LEEWAY);
    expect(error.times.connecting).toBeGreaterThan(0);
  });

  it('of a server that cannot be reached, connecting is what took the time', async () => {
    await using pool = new Pool('unix:/nowhere/fpm.sock', { connectTimeout: 80 });
    const error: FcgiError = await pool.request({ params: GET }).then(
      () => expect.fail('it was answered'),
      (reason) => reason,
    );
    expect(error).toMatchObject({ code: 'FCGI_ERR_CONNECT_TIMEOUT', server: 'unix:/nowhere/fpm.sock' });
    expect(error.times.connecting).toBeGreaterThan(error.times.queued);
    expect(error.times.total).toBeGreaterThanOrEqual(error.times.connecting);
  });

  it('of an Upstream, it is the server that answered, whichever was asked first', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Upstream(['unix:/nowhere/fpm.sock', fpm.address]);
    for (let i = 0; i < 3; i++)
      expect(await ended(pool, { params: GET })).toMatchObject({ server: fpm.address });
  });
});

describe('a request that its caller gives up', () => {
  const reason = new Error('no longer wanted');

  it.each<[string, (abort: AbortController, recorder: Recorder) => void]>([
    ['by its signal', (abort) => abort.abort(reason)],
    ['by controller.abort()', (_, recorder) => recorder.controller?.abort(reason)],
  ])('%s: the error is the reason, untouched, and the controller has the facts', async (_, giveUp) => {
    await using fpm = await startFakeFpm({ script: (_request, response) => response.hang() });
    await using pool = new Pool(fpm.address);
    const abort = new AbortController();
    const facts: FailureFacts[] = [];
    const recorder = new Recorder();
    const request = { params: POST, body: 'x', signal: abort.signal };
    pool.dispatch({ ...request, onAbort: (seen) => void facts.push(seen) }, recorder);
    expect(recorder.controller?.facts).toBeNull();
    await fpm.executed(1);
    giveUp(abort, recorder);
    expect(await recorder.over).toBe(reason);
    expect(Object.keys(reason)).toEqual([]);
    expect(recorder.controller).toMatchObject({ aborted: true, facts: facts[0] });
    expect(facts).toMatchObject([
      { code: 'FCGI_ERR_ABORTED', executed: 'unknown', phase: 'waiting', attempts: 1, server: fpm.address },
    ]);
    expect(facts[0]).toMatchObject({ cause: reason, times: { firstByte: null } });
  });

  it('while it waits: it was not executed, and request() tells the facts to onAbort before it rejects', async () => {
    await using fpm = await startFakeFpm({ script: (_request, response) => response.hang() });
    const pool = new Pool(fpm.address, { connections: 1 });
    const running = pool.request({ params: GET }).catch((error: unknown) => error);
    const abort = new AbortController();
    const order: unknown[] = [];
    const waiting = pool
      .request({ params: GET, signal: abort.signal, onAbort: (facts) => void order.push(facts) })
      .catch((error: unknown) => order.push(error));
    await fpm.executed(1);
    abort.abort();
    await waiting;
    expect(order).toMatchObject([{ executed: 'no', phase: 'queued', attempts: 0 }, { name: 'AbortError' }]);
    await pool.destroy();
    expect(await running).toMatchObject({
      code: 'FCGI_ERR_DESTROYED',
      executed: 'unknown',
      server: fpm.address,
    });
  });

  it('in the middle of the answer: it was executed', async () => {
    await using fpm = await startFakeFpm({
      script: async (_, response) => {
        await response.stdout(`${HEAD}half`);
        await response.hang();
      },
    });
    await using pool = new Pool(fpm.address);
    const abort = new AbortController();
    const seen = gate();
    let facts: FailureFacts | null = null;
    const onAbort = (told: FailureFacts): void => {
      facts = told;
      seen.open();
    };
    const { body } = await pool.request({ params: GET, signal: abort.signal, onAbort });
    const reading = body.text();
    abort.abort(reason);
    await expect(reading).rejects.toBe(reason);
    await seen.opened;
    expect(facts).toMatchObject({ executed: 'yes', phase: 'body', times: { firstByte: expect.any(Number) } });
  });

  it('a reason that is an FcgiError of somebody else stays as it is', async () => {
    await using fpm = await startFakeFpm({ script: (_request, response) => response.hang() });
    await using pool = new Pool(fpm.address);
    const dead = new Pool('unix:/nowhere/fpm.sock', { connectTimeout: 1 });
    const shared: FcgiError = await dead.request({ params: GET }).then(
      () => expect.fail('it was answered'),
      (error) => error,
    );
    const before = { ...shared };
    const abort = new AbortController();
    const both = [1, 2].map(() =>
      pool.request({ params: GET, signal: abort.signal }).catch((error: unknown) => error),
    );
    await fpm.executed(2);
    abort.abort(shared);
    expect(await Promise.all(both)).toEqual([shared, shared]);
    expect({ ...shared }).toEqual(before);
  });

  it('by a callback that throws, or a body that does: the same', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address);
    const recorder = new Recorder();
    recorder.onResponseEnd = () => {
      throw reason;
    };
    const facts: FailureFacts[] = [];
    pool.dispatch({ params: GET, onAbort: (seen) => void facts.push(seen) }, recorder);
    expect(await recorder.over).toBe(reason);
    expect(recorder.controller?.facts).toMatchObject({ executed: 'yes', cause: reason });
    expect(facts).toEqual([recorder.controller?.facts]);
    async function* broken(): AsyncGenerator<string> {
      yield 'abc';
      throw reason;
    }
    // The body of a POST is read before it is sent, if it is short: PHP would run it with half of it.
    for (const [params, executed] of [
      [PUT, 'unknown'],
      [POST, 'no'],
    ] as const) {
      const other = new Recorder();
      pool.dispatch({ params: { ...params, CONTENT_LENGTH: '10' }, body: broken() }, other);
      expect(await other.over).toBe(reason);
      expect(other.controller?.facts).toMatchObject({ executed, cause: reason });
    }
  });
});

it.each<[string, DispatchRequest['body'], boolean]>([
  ['no body', undefined, true],
  ['bytes', 'abc', true],
  ['a stream, which is given up with the request', Readable.from(['abc']), false],
])(
  'a request that is refused before its body was looked at could be sent again: %s',
  async (_, body, replayable) => {
    const pool = new Pool('unix:/nowhere/fpm.sock');
    await pool.close();
    await expect(pool.request({ params: POST, body })).rejects.toMatchObject({ executed: 'no', replayable });
  },
);

describe('timeout: the most that a request may take in all', () => {
  it('holds where no other timeout does: an answer that comes drop by drop', async () => {
    await using fpm = await startFakeFpm({
      script: async (_, response) => {
        await response.stdout(HEAD);
        while (!drained) {
          await response.stdout('.');
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      },
    });
    let drained = false;
    await using pool = new Pool(fpm.address, { timeout: 100, bodyTimeout: 60 });
    const { body } = await pool.request({ params: GET });
    await expect(body.text()).rejects.toMatchObject({
      code: 'FCGI_ERR_TIMEOUT',
      name: 'TimeoutError',
      executed: 'yes',
      phase: 'body',
    });
    drained = true;
  });

  it('holds while a request waits; its own overrides that of the pool, and 0 is no limit', async () => {
    const answer = gate();
    await using fpm = await startFakeFpm({ workers: 1, onRequest: () => answer.opened });
    await using pool = new Pool(fpm.address, { connections: 1, timeout: 50 });
    const running = ended(pool, { params: GET, timeout: 0 });
    await expect(pool.request({ params: GET })).rejects.toMatchObject({
      code: 'FCGI_ERR_TIMEOUT',
      executed: 'no',
      phase: 'queued',
      attempts: 0,
    });
    answer.open();
    expect(await running).toMatchObject({ attempts: 1 });
  });

  it('holds while its body is read before it is sent, also where the pool has nothing else to do', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address);
    const body = (async function* (): AsyncGenerator<string> {
      yield 'a';
      await new Promise(() => {});
    })();
    await expect(pool.request({ params: POST, body, timeout: 100 })).rejects.toMatchObject({
      code: 'FCGI_ERR_TIMEOUT',
      executed: 'no',
      attempts: 0,
    });
    expect(fpm.accepted).toBe(0);
  });

  it('of an Upstream, it goes on over all servers', async () => {
    await using pool = new Upstream(['unix:/nowhere/a.sock', 'unix:/nowhere/b.sock'], {
      connectTimeout: 5000,
      timeout: 60,
    });
    await expect(pool.request({ params: GET })).rejects.toMatchObject({
      code: 'FCGI_ERR_TIMEOUT',
      executed: 'no',
    });
  });
});
