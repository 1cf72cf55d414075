/** A time without any request: nothing is looked up meanwhile, and the addresses of the evening may be nobody's in the morning. */
import { describe, expect, it } from 'vitest';
import type { Timers } from '../../../src/connection/clock.ts';
import { type Runtime, systemRuntime } from '../../../src/connection/runtime.ts';
import type { UpstreamOptions } from '../../../src/index.ts';
import { requestBy } from '../../../src/pool/request/response.ts';
import { upstreamParts } from '../../../src/upstream/upstream.ts';
import { waitFor } from '../../fpm/support/index.ts';
import { type Asked, answering, ask, askAtOnce } from '../support.ts';

const HOUR = 3_600_000;

interface Nights {
  readonly upstream: Asked & { close(): Promise<void> };
  night(): Promise<void>;
}

/** An Upstream of one name, and a clock that the test can put forward while nothing is to do. */
function upstreamBy(resolve: () => Promise<string[]>, more: UpstreamOptions = {}): Nights {
  let skipped = 0;
  let ticking = 0;
  const timers: Timers = {
    ...systemRuntime.timers,
    now: () => systemRuntime.timers.now() + skipped,
    every: (interval, callback) => {
      ticking++;
      const stop = systemRuntime.timers.every(interval, callback);
      return () => {
        ticking--;
        stop();
      };
    },
  };
  const runtime: Runtime = { ...systemRuntime, timers };
  const options = { keepalive: 0, connectTimeout: 3000, ...more, resolve };
  const { scheduler } = upstreamParts(['fpm.internal:9000'], options, runtime);
  const upstream: Nights['upstream'] = {
    request: (request) => requestBy(scheduler, request, 0),
    close: () => scheduler.close(),
  };
  const night = async (): Promise<void> => {
    await waitFor(() => ticking === 0);
    skipped += 8 * HOUR;
  };
  return { upstream, night };
}

describe('behind a night without requests', () => {
  it('all who come at first go where the name leads now', async () => {
    await using a = await answering('a', { transport: 'tcp' });
    await using b = await answering('b', { transport: 'tcp' });
    let address = a.address;
    const { upstream, night } = upstreamBy(async () => [address]);
    expect(await ask(upstream)).toBe('a');
    address = b.address;
    await night();
    expect(await askAtOnce(upstream, 6)).toEqual(Array(6).fill('b'));
    await upstream.close();
  });

  it.each([
    ['fails', () => Promise.reject(new Error('SERVFAIL'))],
    ['says nothing', () => new Promise<string[]>(() => {})],
  ])('a DNS server that %s costs a moment, and the old addresses stand', async (_, silent) => {
    await using a = await answering('a', { transport: 'tcp' });
    let resolve = (): Promise<string[]> => Promise.resolve([a.address]);
    const { upstream, night } = upstreamBy(() => resolve());
    expect(await ask(upstream)).toBe('a');
    resolve = silent;
    await night();
    expect(await askAtOnce(upstream, 6)).toEqual(Array(6).fill('a'));
    await upstream.close();
  });

  it('who must not wait (queueSize 0) does not', async () => {
    await using a = await answering('a', { transport: 'tcp' });
    let resolve = (): Promise<string[]> => Promise.resolve([a.address]);
    const { upstream, night } = upstreamBy(() => resolve(), { queueSize: 0 });
    expect(await ask(upstream)).toBe('a');
    resolve = () => new Promise(() => {});
    await night();
    expect(await ask(upstream)).toBe('a');
    await upstream.close();
  });
});

it('with queueSize 0 as many requests as there are connections wait for the first look-up', async () => {
  await using a = await answering('a', { transport: 'tcp' });
  const { upstream } = upstreamBy(async () => [a.address], { queueSize: 0, connections: 4 });
  const answers = await askAtOnce(upstream, 5);
  expect(answers.sort()).toEqual(['FCGI_ERR_QUEUE_FULL', 'a', 'a', 'a', 'a']);
  await upstream.close();
});
