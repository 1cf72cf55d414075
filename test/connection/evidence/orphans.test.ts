import { describe, expect, it } from 'vitest';
import { counterIn, OrphanResets, wasRequestReset } from '../../../src/connection/evidence/orphans.ts';

describe('was it the request that was reset behind a FIN', () => {
  it.each([
    ['a kernel that never resets what a dead process leaves, however late', false, 60_000, 0, true],
    ['one that may, and the FIN came at once', true, 10, 0, true],
    ['the same from afar: a round trip later', true, 90, 80, true],
    ['one that may, and the script had time to run and to die', true, 11, 0, false],
    ['the same from afar', true, 91, 80, false],
  ])('%s', (_what, resetsOrphans, sinceSent, roundTrip, expected) => {
    expect(wasRequestReset({ resetsOrphans, sinceSent, roundTrip })).toBe(expected);
  });
});

it.each([
  ['TcpExt: A TCPAbortOnMemory B\nTcpExt: 1 0 2\nIpExt: A\nIpExt: 7\n', 0],
  ['TcpExt: A TCPAbortOnMemory\nTcpExt: 1 31\n', 31],
  ['TcpExt: A B\nTcpExt: 1 2\n', null],
  ['TcpExt: A TCPAbortOnMemory\n', null],
  ['', null],
])('reads the counter of the kernel: %j', (counters, expected) => {
  expect(counterIn(counters, 'TCPAbortOnMemory')).toBe(expected);
});

describe('has the kernel reset orphans since a request was sent', () => {
  /** `counts`: what the kernel says at each look; the first is at 10 ms, as the first connection is there. */
  async function asked(
    counts: (number | null)[],
    ...sent: { at: number; askedAt: number }[]
  ): Promise<boolean[]> {
    let now = 10;
    const resets = new OrphanResets(
      async () => counts.shift() ?? null,
      () => now,
    );
    resets.begin();
    await null;
    await null;
    resets.begin();
    const answers: boolean[] = [];
    for (const { at, askedAt } of sent) {
      now = askedAt;
      answers.push(await resets.hasResetSince(at));
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
});
