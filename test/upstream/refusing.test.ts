/** Servers that let nobody connect, however many requests wait for them. */
import { tracingChannel } from 'node:diagnostics_channel';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { CHANNELS, type ConnectMessage, Upstream } from '../../src/index.ts';
import { startFakeFpm } from '../../src/testing/index.ts';
import { HEAD } from '../pool/support.ts';
import { ask, askAtOnce, countOf } from './support.ts';

const GONE = ['unix:/nonexistent/refusing-a.sock', 'unix:/nonexistent/refusing-b.sock'];

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** How often each server is dialled from now on. */
function countDials(): Map<string, number> {
  const dials = new Map<string, number>();
  const start = (message: unknown): void => {
    const { serverAddress } = message as ConnectMessage;
    dials.set(serverAddress, (dials.get(serverAddress) ?? 0) + 1);
  };
  const { start: channel } = tracingChannel(CHANNELS.connect);
  channel.subscribe(start);
  ends.push(() => channel.unsubscribe(start));
  return dials;
}

describe('servers that all refuse', () => {
  it.each([1, 2])(
    'are dialled after pauses, and not once for each request that waits (%i)',
    async (count) => {
      await using upstream = new Upstream(GONE.slice(0, count), { connectTimeout: 1_000 });
      const dials = countDials();
      const answers = await askAtOnce(upstream, 200);
      expect(countOf(answers, 'FCGI_ERR_NO_LIVE_UPSTREAM')).toBe(200);
      expect(dials.size).toBe(count);
      // By pauses of 10, 20, 40, 80 and then 100 ms it is some twelve times; by their shortest some twenty.
      for (const often of dials.values()) expect(often).toBeLessThanOrEqual(30);
    },
  );

  it('fail all who have waited for connectTimeout, the last as soon as the first', async () => {
    const connectTimeout = 600;
    await using upstream = new Upstream(GONE, { connectTimeout });
    const failedAt = await Promise.all(
      Array.from({ length: 300 }, () => ask(upstream).then(() => performance.now())),
    );
    expect(Math.max(...failedAt) - Math.min(...failedAt)).toBeLessThan(connectTimeout);
  });

  it('are asked by each new request for its own connectTimeout', async () => {
    await using upstream = new Upstream(GONE, { connectTimeout: 500 });
    await ask(upstream);
    const begun = performance.now();
    expect(await ask(upstream)).toBe('FCGI_ERR_NO_LIVE_UPSTREAM');
    expect(performance.now() - begun).toBeGreaterThan(250);
  });
});

describe('one server that refuses', () => {
  it('is no reason to fail those who wait for another, which is slow', async () => {
    const pageTime = 60;
    await using slow = await startFakeFpm({
      script: async (_, response) => {
        await setTimeout(pageTime);
        await response.stdout(`${HEAD}slow`);
      },
    });
    await using upstream = new Upstream([...GONE, slow.address], {
      connections: 1,
      connectTimeout: pageTime,
    });
    expect(await askAtOnce(upstream, 5)).toEqual(Array(5).fill('slow'));
  });
});
