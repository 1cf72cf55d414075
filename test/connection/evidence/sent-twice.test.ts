/** When our kernel may have sent a request once more, and who is asked. */
import { describe, expect, it } from 'vitest';
import type { PrematureClose } from '../../../src/connection/evidence/premature-close.ts';
import { askSentTwice, mayBeSentTwice } from '../../../src/connection/evidence/sent-twice.ts';
import type { Exchange } from '../../../src/connection/exchange.ts';

it.each([
  [1, 0, false],
  [1_200, 150, false],
  [1_200, 151, true],
  [1_201, 2, false],
  [1_201, 2.1, true],
  [16_384, 151, true],
])('%d bytes may have been sent twice after %d ms: %s', (bytes, elapsed, expected) => {
  expect(mayBeSentTwice(bytes, elapsed)).toBe(expected);
});

describe('the kernel is asked', () => {
  const exchange = { sentAt: 1_000, readBeforeScript: true, terminatorSent: false, bytesReceived: 0 };
  const reset: PrematureClose = { sign: 'reset', error: null, reason: 'reset', afterFin: 'not-probed' };
  const late = { bytes: 100, now: 2_000 };
  it.each<[string, boolean, Partial<typeof exchange>, typeof late, Partial<PrematureClose>]>([
    ['of a reset that would be a proof', true, {}, late, {}],
    ['not where there was no time to send it twice', false, {}, { bytes: 100, now: 1_100 }, {}],
    ['not of another sign', false, {}, late, { sign: 'write-refused' }],
    ['not where PHP may have left something unread', false, { readBeforeScript: false }, late, {}],
    ['not once the end of input was sent', false, { terminatorSent: true }, late, {}],
    ['not once there is an answer', false, { bytesReceived: 1 }, late, {}],
  ])('%s: %s', async (_, expected, changes, sent, cause) => {
    const asked: number[] = [];
    const hasRetransmitted = async (sentAt: number): Promise<boolean> => asked.push(sentAt) > 0;
    const seen = await new Promise<PrematureClose>((resolve) => {
      const probed = { hasRetransmitted } as unknown as Parameters<typeof askSentTwice>[0];
      askSentTwice(probed, { ...exchange, ...changes } as Exchange, sent, { ...reset, ...cause }, resolve);
    });
    expect(asked).toEqual(expected ? [1_000] : []);
    expect(seen.sentTwice).toBe(expected ? true : undefined);
  });

  it('and what it says counts no more, once the connection has been given up', async () => {
    let answer = (_: boolean): void => {};
    const hasRetransmitted = (): Promise<boolean> => new Promise((resolve) => (answer = resolve));
    const probed = { hasRetransmitted } as unknown as Parameters<typeof askSentTwice>[0];
    const told: PrematureClose[] = [];
    const stop = askSentTwice(probed, exchange as Exchange, late, reset, (seen) => told.push(seen));
    stop?.();
    answer(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual([]);
  });
});
