/** A mock keeps the limits of time that a request has: a test of what comes after them is no use without. */
import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { type DispatchRequest, Pool } from '../../src/index.ts';
import { MockDispatcher, startFakeFpm } from '../../src/testing/index.ts';
import { Limits } from '../../src/testing/mock/limits.ts';

const params = { REQUEST_METHOD: 'GET', SCRIPT_FILENAME: '/a.php' };
const never = new Promise<never>(() => {});

async function* stuck(): AsyncGenerator<string> {
  yield 'a';
  await never;
}

/** As the caller of request() sees it, the body read. */
async function seenOf(to: Pool | MockDispatcher, more: Partial<DispatchRequest>): Promise<unknown> {
  try {
    const response = await to.request({ params, ...more });
    return await response.body.text();
  } catch (error) {
    const { name, code, message, executed, phase } = error as Record<string, unknown>;
    return { name, code, message, executed, phase };
  }
}

describe('a request that takes too long fails with a mock as with a Pool', () => {
  it.each<[string, Partial<DispatchRequest>]>([
    ['in all', { timeout: 60 }],
    ['to its head', { headersTimeout: 60 }],
  ])('%s, where the script does not answer', async (_, more) => {
    await using fpm = await startFakeFpm({ script: (_, response) => response.hang() });
    await using pool = new Pool(fpm.address);
    const mock = new MockDispatcher(() => never);
    const byPool = await seenOf(pool, more);
    expect(byPool).toMatchObject({ name: 'TimeoutError', executed: 'unknown' });
    expect(await seenOf(mock, more)).toEqual(byPool);
    expect(mock.stats.busy).toBe(0);
  });

  it.each<[string, Partial<DispatchRequest>]>([
    ['in all', { timeout: 60 }],
    ['to the next piece of its body', { bodyTimeout: 60 }],
  ])('%s, where the body stops half-way', async (_, more) => {
    await using fpm = await startFakeFpm({
      script: async (_, response) => {
        await response.stdout('Status: 200\r\n\r\na');
        await response.hang();
      },
    });
    await using pool = new Pool(fpm.address);
    const byPool = await seenOf(pool, more);
    expect(byPool).toMatchObject({ name: 'TimeoutError', executed: 'yes' });
    expect(await seenOf(new MockDispatcher({ body: stuck() }), more)).toEqual(byPool);
  });

  it('with a body that never comes', async () => {
    const body = stuck();
    expect(await seenOf(new MockDispatcher(), { body, timeout: 60 })).toMatchObject({
      code: 'FCGI_ERR_TIMEOUT',
      executed: 'no',
    });
  });
});

it('a reader who wants no more for now makes nobody late', async () => {
  const mock = new MockDispatcher({ body: ['a', 'b'] });
  const late = new MockDispatcher(() => never);
  const read = new Promise<string>((resolve, reject) => {
    const pieces: Buffer[] = [];
    mock.dispatch(
      { params, bodyTimeout: 20 },
      {
        onResponseStart: (controller) => {
          controller.pause();
          // Another request, whose time begins later, tells that this one's would be over.
          void seenOf(late, { headersTimeout: 40 }).then(() => controller.resume());
        },
        onResponseData: (_, chunk) => void pieces.push(chunk),
        onResponseEnd: () => resolve(Buffer.concat(pieces).toString()),
        onResponseError: (_, error) => reject(error),
      },
    );
  });
  expect(await read).toBe('ab');
});

it('limits longer than a timer of Node can wait are as good as none', async () => {
  const mock = new MockDispatcher({ body: 'ok' });
  expect(await seenOf(mock, { timeout: 1e12, headersTimeout: 1e12, bodyTimeout: 1e12 })).toBe('ok');
});

it('one signal for many requests has one listener, which goes with the last of them', async () => {
  const { signal, abort } = ((controller) => ({
    signal: controller.signal,
    abort: () => controller.abort('enough'),
  }))(new AbortController());
  const mock = new MockDispatcher(() => never);
  const all = Array.from({ length: 20 }, () => mock.request({ params, signal }).catch((reason) => reason));
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  await new MockDispatcher({ body: 'ok' }).request({ params, signal });
  abort();
  expect(await Promise.all(all)).toEqual(Array.from({ length: 20 }, () => 'enough'));
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});

describe('no timer is left behind that would keep a test suite alive', () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((what) => what === 'Timeout').length;
  const times = { timeout: 60_000, headersTimeout: 50_000, bodyTimeout: 40_000 };
  const begin = (): Limits => new Limits({ params: {}, ...times }, () => {});

  it('one for the whole, and one for what is due', () => {
    const before = timers();
    const limits = begin();
    expect(timers()).toBe(before + 1);
    limits.await('head');
    expect(timers()).toBe(before + 2);
    limits.await('piece');
    expect(timers()).toBe(before + 2);
    limits.pause(true);
    expect(timers()).toBe(before + 1);
    limits.pause(false);
    expect(timers()).toBe(before + 2);
    limits.await('nothing');
    expect(timers()).toBe(before + 1);
    limits.end();
    expect(timers()).toBe(before);
  });

  it('and none that begins behind the end', () => {
    const before = timers();
    const limits = begin();
    limits.await('head');
    limits.end();
    limits.await('piece');
    limits.pause(false);
    expect(timers()).toBe(before);
  });
});
