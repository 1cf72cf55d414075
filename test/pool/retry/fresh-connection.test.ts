import fc from 'fast-check';
import { expect, it } from 'vitest';
import { needsFreshConnection, type Outgoing } from '../../../src/pool/retry/fresh-connection.ts';

/** As harmless as can be: a GET to PHP-FPM. */
const get: Outgoing = {
  proxied: false,
  retriedAnyway: false,
  replayable: true,
  provable: true,
  settled: false,
};

it.each<[boolean, string, Partial<Outgoing>]>([
  [false, 'a GET', {}],
  [false, 'a PUT, once the connection has been idle for a moment', { provable: false, settled: true }],
  [true, 'a PUT right behind another answer', { provable: false }],
  [false, 'a PUT that may run twice', { provable: false, retriedAnyway: true }],
  [true, 'a long stream', { replayable: false }],
  [true, 'a GET that would not be sent again, by way of a proxy', { proxied: true }],
  [true, 'the same on a connection that has been idle', { proxied: true, settled: true }],
  [false, 'a GET that would be sent again, by way of a proxy', { proxied: true, retriedAnyway: true }],
])('a fresh connection: %s for %s', (fresh, _, what) => {
  expect(needsFreshConnection({ ...get, ...what })).toBe(fresh);
});

it('what cannot be sent again, or would be failed by a worker that is just leaving, never meets one', () => {
  const flag = fc.boolean();
  const outgoing = fc.record<Outgoing>({
    proxied: flag,
    retriedAnyway: flag,
    replayable: flag,
    provable: flag,
    settled: flag,
  });
  fc.assert(
    fc.property(outgoing, (one) => {
      const isSafe = one.retriedAnyway || (!one.proxied && (one.provable || one.settled));
      return needsFreshConnection(one) === !(one.replayable && isSafe);
    }),
  );
});
