import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Choice, type Outgoing, whichConnection } from '../../../src/pool/retry/which-connection.ts';

/** As harmless as can be: a GET to PHP-FPM. */
const get: Outgoing = {
  proxied: false,
  retriedAnyway: false,
  replayable: true,
  provable: true,
  settled: false,
  answers: false,
};

it.each<[Choice, string, Partial<Outgoing>]>([
  ['kept', 'a GET', {}],
  ['kept', 'a PUT, once the connection has been idle for a moment', { provable: false, settled: true }],
  ['fresh', 'a PUT right behind another answer, where nobody can be asked', { provable: false }],
  ['asked', 'a PUT right behind another answer', { provable: false, answers: true }],
  [
    'kept',
    'a PUT, once the worker has answered or it was idle',
    { provable: false, answers: true, settled: true },
  ],
  ['kept', 'a PUT that may run twice', { provable: false, retriedAnyway: true, answers: true }],
  ['fresh', 'a long stream', { replayable: false, answers: true }],
  ['fresh', 'a GET that would not be sent again, by way of a proxy', { proxied: true, answers: true }],
  ['fresh', 'the same on a connection that has been idle', { proxied: true, settled: true, answers: true }],
  ['kept', 'a GET that would be sent again, by way of a proxy', { proxied: true, retriedAnyway: true }],
])('%s: for %s', (choice, _, what) => {
  expect(whichConnection({ ...get, ...what })).toBe(choice);
});

it('what cannot be sent again, or would be failed by a worker that is just leaving, never meets one', () => {
  const flag = fc.boolean();
  const outgoing = fc.record<Outgoing>({
    proxied: flag,
    retriedAnyway: flag,
    replayable: flag,
    provable: flag,
    settled: flag,
    answers: flag,
  });
  fc.assert(
    fc.property(outgoing, (one) => {
      const isSafe = one.retriedAnyway || (!one.proxied && (one.provable || one.settled));
      expect(whichConnection(one) === 'kept').toBe(one.replayable && isSafe);
      expect(whichConnection(one) === 'asked').toBe(one.replayable && !isSafe && !one.proxied && one.answers);
    }),
  );
});
