import { expect, it } from 'vitest';
import { Exchange } from '../../../src/connection/exchange.ts';
import { Terminator } from '../../../src/pool/learned/terminator.ts';
import { nobody } from '../../connection/support.ts';

/** An answer `firstByteAfter` ms after the start, the terminator sent after `terminatorAfter` ms (-1: it was not). */
function answer(firstByteAfter: number, terminatorAfter: number): Exchange {
  const exchange = new Exchange(nobody, 1, true, true, 0, 0);
  exchange.firstByteAfter = firstByteAfter;
  exchange.terminatorAfter = terminatorAfter;
  return exchange;
}

it('the record is held back from a server of which nothing is known', () => {
  expect(new Terminator(50).atOnce(true)).toBe(false);
});

it('a delay of 0 sends it at once', () => {
  const terminator = new Terminator(0);
  expect(terminator.atOnce(true)).toBe(true);
});

it('a server of which nothing is known gets it after the delay', () => {
  const terminator = new Terminator(50);
  expect(terminator.delay(false, 0)).toBe(50);
  expect(terminator.delay(false, 60_000)).toBe(50);
});

it('a delay that is longer than seconds stays as it is', () => {
  expect(new Terminator(60_000).delay(true, 30_000)).toBe(60_000);
});

it('a server that is not PHP-FPM gets it at once', () => {
  expect(new Terminator(50).atOnce(false)).toBe(true);
});

it.each([
  [60_000, 55_000],
  [30_000, 25_000],
  [10_000, 5_000],
  [2_000, 5_000],
  [300_000, 55_000],
  [0, 55_000],
])(
  'one that has shown that it is PHP-FPM gets it in time for an answer, and not before seconds: headersTimeout %i, after %i ms',
  (headersTimeout, delay) => {
    expect(new Terminator(50).delay(true, headersTimeout)).toBe(delay);
  },
);

it.each([
  ['just behind it, after seconds', 5_025, 5_000, true],
  ['later', 5_026, 5_000, false],
  ['just behind it, which was sent sooner', 4_999, 4_999, false],
  ['behind one that was sent with the request', 5_000, 0, false],
  ['without it, after seconds', 6_000, -1, false],
])(
  'an answer that comes %s may have waited for it: %s, %s, %s',
  (_, firstByteAfter, terminatorAfter, may) => {
    expect(new Terminator(50).mayHaveWaited(answer(firstByteAfter, terminatorAfter))).toBe(may);
  },
);
