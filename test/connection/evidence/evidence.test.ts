import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evidence, type Seen } from '../../../src/connection/evidence/evidence.ts';

/** A GET on a kept connection of PHP-FPM, all of it sent, its terminator held back, not a byte of response. */
const get: Seen = {
  sign: 'reset',
  afterFin: 'not-probed',
  bytesReceived: 0,
  nothingAccepted: false,
  wholeAccepted: true,
  terminatorSent: false,
  readBeforeScript: true,
  proxied: false,
};
/** The same with a body that the script reads when it likes: a PUT. */
const put: Seen = { ...get, readBeforeScript: false };

describe('what is proof that a request was not executed', () => {
  it.each<[string, Seen]>([
    ['no connection came about', { ...put, sign: 'not-connected' }],
    ['the very first write was refused', { ...put, sign: 'write-refused', nothingAccepted: true }],
    ['FIN, and what came after was still taken', { ...put, sign: 'fin', afterFin: 'accepted' }],
    ['tcp: FIN, and then the very first write failed', { ...get, sign: 'fin', afterFin: 'first-refused' }],
    ['a reset before the terminator, nothing for the script to read', get],
    ['a reset, and not even all of a form had left us', { ...get, wholeAccepted: false }],
  ])('%s', (_, seen) => {
    expect(evidence(seen)).toBe('no');
  });
});

describe('what leaves open whether a request was executed', () => {
  it.each<[string, Seen]>([
    ['a reset for a PUT with a body', put],
    ['a reset for a PUT, though not all of its body had left us', { ...put, wholeAccepted: false }],
    [
      'a reset after the terminator was sent: it may be all that was left unread',
      { ...get, terminatorSent: true },
    ],
    ['unix: FIN, then EPIPE', { ...get, sign: 'fin', afterFin: 'refused' }],
    ['tcp: FIN, a first write taken, a later one refused', { ...get, sign: 'fin', afterFin: 'refused' }],
    ['FIN that nobody could look behind', { ...get, sign: 'fin' }],
    ['tcp: FIN and a first write refused, for a PUT', { ...put, sign: 'fin', afterFin: 'first-refused' }],
    ['a later write refused, all of the request taken before', { ...get, sign: 'write-refused' }],
    ['we gave up waiting', { ...get, sign: 'other' }],
    ['behind a proxy: a reset', { ...get, proxied: true }],
    [
      'behind a proxy: FIN, and bytes still taken',
      { ...get, proxied: true, sign: 'fin', afterFin: 'accepted' },
    ],
  ])('%s', (_, seen) => {
    expect(evidence(seen)).toBe('unknown');
  });
});

const anySeen = fc.record<Seen>({
  sign: fc.constantFrom('not-connected', 'write-refused', 'reset', 'fin', 'other'),
  afterFin: fc.constantFrom('accepted', 'first-refused', 'refused', 'not-probed'),
  bytesReceived: fc.constantFrom(0, 0, 0, 1, 8192),
  nothingAccepted: fc.boolean(),
  wholeAccepted: fc.boolean(),
  terminatorSent: fc.boolean(),
  readBeforeScript: fc.boolean(),
  proxied: fc.boolean(),
});

/** Each rule is a law of its own; none is a copy of how evidence() goes about it. */
describe('whatever was seen', () => {
  const holds = (law: (seen: Seen) => boolean): void =>
    fc.assert(fc.property(anySeen, law), { numRuns: 2_000 });

  it('a response byte, and nothing else, says yes', () => {
    holds((seen) => (evidence(seen) === 'yes') === seen.bytesReceived > 0);
  });

  it('behind a proxy only a connection that never was, or took nothing, says no', () => {
    holds(
      (seen) =>
        !seen.proxied || evidence(seen) !== 'no' || seen.sign === 'not-connected' || seen.nothingAccepted,
    );
  });

  it('that we gave up never says no, unless nothing had been taken', () => {
    holds((seen) => seen.sign !== 'other' || seen.nothingAccepted || evidence(seen) !== 'no');
  });

  it('a body that the script reads when it likes is cleared only where it met no reader at all', () => {
    holds(
      (seen) =>
        seen.readBeforeScript ||
        evidence(seen) !== 'no' ||
        seen.sign === 'not-connected' ||
        seen.nothingAccepted ||
        (seen.sign === 'fin' && seen.afterFin === 'accepted'),
    );
  });

  it('once all of a request and its terminator were taken, only a worker that still discards says no', () => {
    holds(
      (seen) =>
        !(seen.wholeAccepted && seen.terminatorSent) ||
        evidence(seen) !== 'no' ||
        seen.sign === 'not-connected' ||
        seen.nothingAccepted ||
        (seen.sign === 'fin' && seen.afterFin === 'accepted'),
    );
  });

  it('a refused write proves nothing once all of the request was taken', () => {
    holds(
      (seen) =>
        seen.sign !== 'write-refused' ||
        !seen.wholeAccepted ||
        seen.nothingAccepted ||
        evidence(seen) !== 'no',
    );
  });

  it('knowing less never proves more: a proxy in between, or a terminator sent, turns no unknown into a no', () => {
    holds(
      (seen) =>
        evidence(seen) !== 'unknown' ||
        (evidence({ ...seen, proxied: true }) === 'unknown' &&
          evidence({ ...seen, terminatorSent: true }) === 'unknown'),
    );
  });
});
