import { platform } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  counterIn,
  KernelCounter,
  readRetransmissions,
  retransmissionsIn,
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

  it('once two looks have had the new count, the requests that are sent from then on are judged by it', async () => {
    const answers = await asked(
      [24, 25, 25, 25, 25],
      { at: 20, askedAt: 30 },
      { at: 35, askedAt: 40 },
      { at: 40, askedAt: 50 },
      { at: 29, askedAt: 60 },
    );
    expect(answers).toEqual([true, true, false, true]);
  });

  it('of the two looks before, the lower one counts: what was taken back by then was nothing', async () => {
    expect(await asked([24, 25, 25], { at: 5, askedAt: 20 }, { at: 25, askedAt: 40 })).toEqual([true, true]);
    expect(await asked([25, 24, 25], { at: 5, askedAt: 20 }, { at: 25, askedAt: 40 })).toEqual([true, true]);
    expect(await asked([25, 24, 24], { at: 5, askedAt: 20 }, { at: 25, askedAt: 40 })).toEqual([true, false]);
  });

  it('is looked at between requests, too: what was before them is forgiven then', async () => {
    let [now, count] = [10, 24];
    const counter = new KernelCounter(
      async () => count,
      () => now,
    );
    const refresh = async (): Promise<void> => {
      counter.refresh();
      await setImmediate();
    };
    await refresh();
    counter.begin();
    await setImmediate();
    [now, count] = [20, 25];
    await refresh();
    now = 25;
    await refresh();
    for (now = 100; now < 500; now++) await refresh();
    expect(await counter.hasGrownSince(25)).toBe(false);
    expect(await counter.hasGrownSince(24)).toBe(true);
    expect(await counter.hasGrownSince(9)).toBe(true);
  });
});

it('one look is taken at a time, and none before there is a connection', async () => {
  let looks = 0;
  const counter = new KernelCounter(
    async () => ++looks,
    () => 10,
  );
  counter.refresh();
  expect(looks).toBe(0);
  counter.begin();
  for (let i = 0; i < 3; i++) counter.refresh();
  expect(looks).toBe(1);
  await setImmediate();
  for (let i = 0; i < 3; i++) counter.refresh();
  expect(looks).toBe(2);
});

it.each([
  ['Tcp: A RetransSegs\nTcp: 1 9\n', 'TcpExt: TCPDSACKRecv TCPDSACKRecvSegs\nTcpExt: 2 3\n', 6],
  // An older kernel.
  ['Tcp: A RetransSegs\nTcp: 1 9\n', 'TcpExt: TCPDSACKRecv\nTcpExt: 2\n', 7],
  ['Tcp: A RetransSegs\nTcp: 1 9\n', 'TcpExt: A\nTcpExt: 2\n', null],
  ['Tcp: A\nTcp: 1\n', 'TcpExt: TCPDSACKRecv\nTcpExt: 2\n', null],
  ['', '', null],
])(
  'what was sent twice in earnest is all of it but what the other end says that it had; unless both are told nobody knows: %j, %j',
  (all, extended, expected) => {
    expect(retransmissionsIn(all, extended)).toBe(expected);
  },
);

it('Linux says how often it has sent a segment twice in earnest', async () => {
  expect(await readRetransmissions()).toEqual(platform() === 'linux' ? expect.any(Number) : null);
});
