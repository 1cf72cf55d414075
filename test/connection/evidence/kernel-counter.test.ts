import { platform } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  counterIn,
  KernelCounter,
  readRetransmissions,
} from '../../../src/connection/evidence/kernel-counter.ts';

it.each([
  ['TcpExt: A TCPAbortOnMemory B\nTcpExt: 1 0 2\nIpExt: A\nIpExt: 7\n', 0],
  ['TcpExt: A TCPAbortOnMemory\nTcpExt: 1 31\n', 31],
  ['TcpExt: A B\nTcpExt: 1 2\n', null],
  ['TcpExt: A TCPAbortOnMemory\n', null],
  ['', null],
])('reads the counter of the kernel: %j', (counters, expected) => {
  expect(counterIn(counters, 'TcpExt', 'TCPAbortOnMemory')).toBe(expected);
});

describe('has a counter of the kernel gone up since a request was sent', () => {
  /** `counts`: what the kernel says at each look; the first is at 10 ms, as the first connection is there. */
  async function asked(
    counts: (number | null)[],
    ...sent: { at: number; askedAt: number }[]
  ): Promise<boolean[]> {
    let now = 10;
    const counter = new KernelCounter(
      async () => counts.shift() ?? null,
      () => now,
    );
    counter.begin();
    await null;
    await null;
    counter.begin();
    const answers: boolean[] = [];
    for (const { at, askedAt } of sent) {
      now = askedAt;
      answers.push(await counter.hasGrownSince(at));
    }
    return answers;
  }

  const later = { at: 20, askedAt: 30 };

  it.each<[string, (number | null)[], boolean]>([
    ['never since it was started', [0, 0], false],
    ['not since the first connection', [24, 24], false],
    ['once more since then', [24, 25], true],
    ['for the first time', [0, 1], true],
    ['the kernel does not say', [null, null], true],
    ['it does not say any more', [24, null], true],
    ['it did not say before', [null, 24], true],
    ['it did not say before, and there was none', [null, 0], false],
  ])('%s: %j is %s', async (_, counts, expected) => {
    expect(await asked(counts, later)).toEqual([expected]);
  });

  it('a request that was sent before the count was read: nobody knows', async () => {
    expect(await asked([24, 24], { at: 9, askedAt: 30 })).toEqual([true]);
    expect(await asked([24, 24], { at: 10, askedAt: 30 })).toEqual([false]);
  });

  it('once it is over, the next request is judged by the new count; one sent before that was read is not', async () => {
    const answers = await asked(
      [24, 25, 25, 25],
      { at: 20, askedAt: 30 },
      { at: 29, askedAt: 40 },
      { at: 30, askedAt: 50 },
    );
    expect(answers).toEqual([true, true, false]);
  });

  it('a newer count may be taken between requests: what came before it is forgiven then', async () => {
    let [now, count] = [10, 24];
    const counter = new KernelCounter(
      async () => count,
      () => now,
    );
    counter.refresh();
    counter.begin();
    await setImmediate();
    [now, count] = [20, 25];
    counter.refresh();
    await setImmediate();
    expect(await counter.hasGrownSince(30)).toBe(false);
    expect(await counter.hasGrownSince(19)).toBe(true);
  });
});

it('Linux says how often it has sent a segment twice', async () => {
  expect(await readRetransmissions()).toEqual(platform() === 'linux' ? expect.any(Number) : null);
});
