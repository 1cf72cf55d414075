import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Evidence, judgeExecuted, restsOnBody } from '../../../src/connection/evidence/evidence.ts';

/** A GET on a kept connection of PHP-FPM, all of it sent, its terminator held back, not a byte of response. */
const get: Evidence = {
  sign: 'reset',
  afterFin: 'not-probed',
  answered: false,
  ofUnknownRequest: false,
  reused: true,
  elapsed: 5,
  isLocal: true,
  isUnix: false,
  sentTwice: false,
  nothingAccepted: false,
  wholeAccepted: true,
  terminatorSent: false,
  readBeforeScript: true,
  hasBody: false,
  isPhpFpm: true,
  isDirect: true,
};
/** The same with a body that PHP reads before the script. */
const form: Evidence = { ...get, hasBody: true };
/** The same with a body that the script reads when it likes: a PUT. */
const put: Evidence = { ...form, readBeforeScript: false };
const recycled: Evidence = { ...put, sign: 'fin', afterFin: 'accepted' };
const anybody = { isPhpFpm: false, isDirect: false };

describe('what is proof that a request was not executed', () => {
  it.each<[string, Evidence]>([
    ['no connection came about, whoever the server is', { ...put, ...anybody, sign: 'not-connected' }],
    [
      'a proxy took the connection, and no worker has accepted it: nothing was sent',
      { ...put, reused: false, isDirect: false, sign: 'not-connected' },
    ],
    [
      'the very first write was refused, whoever the server is',
      { ...put, ...anybody, sign: 'write-refused', nothingAccepted: true },
    ],
    ['FIN on a kept connection, soon, and what came after was still taken', recycled],
    ['the same ten seconds after the request, and no later', { ...recycled, elapsed: 10_000 }],
    ['tcp: FIN, and then the very first write failed', { ...get, sign: 'fin', afterFin: 'first-refused' }],
    [
      'tcp: FIN, sent before all of the request had come, on whatever connection and however late',
      { ...get, sign: 'fin', afterFin: 'crossed', reused: false, terminatorSent: true, elapsed: 10_001 },
    ],
    ['a reset before the terminator, nothing for the script to read', get],
    ['the same on a fresh connection', { ...get, reused: false }],
    ['the same after a minute, on this machine', { ...get, elapsed: 60_000 }],
    ['the same from another machine, within ten seconds', { ...get, isLocal: false, elapsed: 10_000 }],
    ['the same for a form', form],
    ['the same by a unix socket', { ...form, isUnix: true }],
    ['a reset, and not even all of a form had left us', { ...form, wholeAccepted: false }],
    ['the same of a GET, behind a proxy', { ...get, wholeAccepted: false, isDirect: false }],
    [
      'unix: a reset of a GET, of which a proxy has left bytes unread, on a fresh connection and however late',
      { ...get, isUnix: true, isDirect: false, reused: false, elapsed: 60_000 },
    ],
  ])('%s', (_, seen) => {
    expect(judgeExecuted(seen)).toBe('no');
  });
});

describe('what leaves open whether a request was executed', () => {
  it.each<[string, Evidence]>([
    ['a reset for a PUT with a body', put],
    [
      'a reset from another machine, later: a load balancer resets what is idle while the script runs',
      { ...get, isLocal: false, elapsed: 10_001 },
    ],
    [
      'a reset from another machine, and something was sent twice: a firewall may have reset the second copy',
      { ...get, isLocal: false, sentTwice: true },
    ],
    ['a reset for a PUT, though not all of its body had left us', { ...put, wholeAccepted: false }],
    [
      'a reset after the terminator was sent: it may be all that was left unread',
      { ...get, terminatorSent: true },
    ],
    ['unix: FIN, then EPIPE', { ...get, sign: 'fin', afterFin: 'refused' }],
    ['tcp: FIN, a first write taken, a later one refused', { ...get, sign: 'fin', afterFin: 'refused' }],
    ['FIN that nobody could look behind', { ...get, sign: 'fin' }],
    ['tcp: FIN and a first write refused, for a PUT', { ...put, sign: 'fin', afterFin: 'first-refused' }],
    ['tcp: FIN, before all of a PUT had come', { ...put, sign: 'fin', afterFin: 'crossed' }],
    [
      'tcp: FIN, before all had come, of another server',
      { ...get, ...anybody, sign: 'fin', afterFin: 'crossed' },
    ],
    [
      'the same where a proxy may stand in between',
      { ...get, isDirect: false, sign: 'fin', afterFin: 'crossed' },
    ],
    ['a later write refused, all of the request taken before', { ...get, sign: 'write-refused' }],
    ['we gave up waiting', { ...get, sign: 'other' }],
    ['a reset from a server that is not known to be PHP-FPM', { ...get, isPhpFpm: false }],
    ['the same, and not all of a form had left us', { ...get, isPhpFpm: false, wholeAccepted: false }],
    ['FIN, and bytes still taken, there', { ...recycled, isPhpFpm: false }],
    ['a reset where a proxy may stand in between', { ...get, isDirect: false }],
    [
      'unix: the same for a form: PHP runs what it has where a proxy goes in the middle of a body',
      { ...form, isUnix: true, isDirect: false },
    ],
    ['not all of a form had left us as a proxy went', { ...form, wholeAccepted: false, isDirect: false }],
    [
      'unix: a reset of a GET behind a proxy, after the terminator was sent',
      { ...get, isUnix: true, isDirect: false, terminatorSent: true },
    ],
    [
      'unix: a reset of a GET by another server, which may begin before it has read all',
      { ...get, ...anybody, isUnix: true },
    ],
    [
      'unix: FIN for a GET behind a proxy, which has read all of it',
      { ...get, isUnix: true, isDirect: false, sign: 'fin', afterFin: 'refused' },
    ],
    ['FIN, and bytes still taken, there', { ...recycled, isDirect: false }],
    ['FIN on a fresh connection, and bytes still taken', { ...recycled, reused: false }],
    ['FIN long after the request, and bytes still taken', { ...recycled, elapsed: 10_001 }],
    ['a reset behind a few bytes, of whose response nobody knows', { ...get, ofUnknownRequest: true }],
  ])('%s', (_, seen) => {
    expect(judgeExecuted(seen)).toBe('unknown');
  });
});

const anySeen = fc.record<Evidence>({
  sign: fc.constantFrom('not-connected', 'write-refused', 'reset', 'fin', 'other'),
  afterFin: fc.constantFrom('accepted', 'crossed', 'first-refused', 'refused', 'not-probed'),
  answered: fc.boolean(),
  ofUnknownRequest: fc.boolean(),
  reused: fc.boolean(),
  elapsed: fc.nat({ max: 20_000 }),
  isLocal: fc.boolean(),
  isUnix: fc.boolean(),
  sentTwice: fc.boolean(),
  nothingAccepted: fc.boolean(),
  wholeAccepted: fc.boolean(),
  terminatorSent: fc.boolean(),
  readBeforeScript: fc.boolean(),
  hasBody: fc.boolean(),
  isPhpFpm: fc.boolean(),
  isDirect: fc.boolean(),
});

/** Each rule is a law of its own; none is a copy of how evidence() goes about it. */
describe('whatever was seen', () => {
  const holds = (law: (seen: Evidence) => boolean): void =>
    fc.assert(fc.property(anySeen, law), { numRuns: 2_000 });
  const metNobody = (seen: Evidence): boolean => seen.sign === 'not-connected' || seen.nothingAccepted;
  const recycledUnder = (seen: Evidence): boolean =>
    seen.sign === 'fin' && seen.afterFin === 'accepted' && seen.reused && seen.isDirect;
  const crossed = (seen: Evidence): boolean => seen.sign === 'fin' && seen.afterFin === 'crossed';

  it('a record of the response, and nothing else, says yes', () => {
    holds((seen) => (judgeExecuted(seen) === 'yes') === seen.answered);
  });

  it('of a server that is not PHP-FPM only a connection that never was, or took nothing, says no', () => {
    holds((seen) => seen.isPhpFpm || judgeExecuted(seen) !== 'no' || metNobody(seen));
  });

  it('behind a proxy so does only one of which not all was taken of a request without a body, or by unix not all was read', () => {
    holds(
      (seen) =>
        seen.isDirect ||
        judgeExecuted(seen) !== 'no' ||
        metNobody(seen) ||
        (!seen.hasBody && !seen.wholeAccepted) ||
        (!seen.hasBody && seen.isUnix && seen.sign === 'reset' && !seen.terminatorSent),
    );
  });

  it('that we gave up never says no, unless nothing had been taken', () => {
    holds((seen) => seen.sign !== 'other' || seen.nothingAccepted || judgeExecuted(seen) !== 'no');
  });

  it('a body that the script reads when it likes is cleared only where it met no reader at all', () => {
    holds(
      (seen) =>
        seen.readBeforeScript || judgeExecuted(seen) !== 'no' || metNobody(seen) || recycledUnder(seen),
    );
  });

  it('once all of a request and its terminator were taken, only a worker that discards, or had left before, says no', () => {
    holds(
      (seen) =>
        !(seen.wholeAccepted && seen.terminatorSent) ||
        judgeExecuted(seen) !== 'no' ||
        metNobody(seen) ||
        recycledUnder(seen) ||
        crossed(seen),
    );
  });

  it('that the request had not come before the FIN says no of what PHP reads first, and of nothing else', () => {
    holds(
      (seen) => !crossed(seen) || metNobody(seen) || judgeExecuted(seen) !== 'no' || seen.readBeforeScript,
    );
  });

  it('knowing less never proves more', () => {
    holds((seen) =>
      [
        { isPhpFpm: false },
        { isDirect: false },
        { isUnix: false },
        { hasBody: true },
        { terminatorSent: true },
        { ofUnknownRequest: true },
        { readBeforeScript: false },
        { elapsed: 1e6 },
        { sentTwice: true },
      ].every(
        (less) => judgeExecuted(seen) !== 'unknown' || judgeExecuted({ ...seen, ...less }) === 'unknown',
      ),
    );
  });
});

it.each<[string, Partial<Evidence>, boolean]>([
  ['a reset', {}, true],
  ['tcp: FIN that crossed the request', { sign: 'fin', afterFin: 'crossed' }, true],
  ['tcp: FIN, and then the very first write failed', { sign: 'fin', afterFin: 'first-refused' }, true],
  ['a reset while some of it was still to be sent', { wholeAccepted: false }, true],
  ['FIN, and what came after was still taken', { sign: 'fin', afterFin: 'accepted' }, false],
  ['nothing of it was taken', { sign: 'write-refused', nothingAccepted: true }, false],
  ['a reset behind the end of input', { terminatorSent: true }, false],
  ['a reset by nobody knows whom', anybody, false],
  ['an answer', { answered: true }, false],
])('that it was not run rests on its body being read first: %s', (_, change, expected) => {
  expect(
    [true, false].map((readBeforeScript) => restsOnBody({ ...get, ...change, readBeforeScript })),
  ).toEqual([expected, expected]);
});
