import { describe, expect, it } from 'vitest';
import { wasRequestReset } from '../../../src/connection/evidence/orphans.ts';

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
