import { expect, it } from 'vitest';
import { Exchange, type ExchangeListener } from '../../../src/connection/exchange.ts';
import { Terminator } from '../../../src/pool/learned/terminator.ts';

const nobody: ExchangeListener = {
  onHead() {},
  onData() {},
  onStderr() {},
  onComplete() {},
  onFailed() {},
};

/** An answer `firstByteAfter` ms after the start, the terminator sent after `terminatorAfter` ms (-1: it was not). */
function answer(firstByteAfter: number, terminatorAfter: number, handedOver = true): Exchange {
  const exchange = new Exchange(nobody, 1, true, true, 0, 0);
  exchange.firstByteAfter = firstByteAfter;
  exchange.terminatorAfter = terminatorAfter;
  exchange.handedOver = handedOver;
  return exchange;
}

/** A server that reads to the end of its input, as the pool meets it: its first answers come just after the record. */
function learnt(): Terminator {
  const terminator = new Terminator(50);
  for (let i = 0; i < 10 && !terminator.atOnce(true); i++) terminator.answered(answer(52, 50));
  return terminator;
}

it('the record is held back from a server of which nothing is known', () => {
  expect(new Terminator(50).atOnce(true)).toBe(false);
});

it('a delay of 0 sends it at once, whatever is seen', () => {
  const terminator = new Terminator(0);
  expect(terminator.atOnce(true)).toBe(true);
  terminator.answered(answer(1, -1));
  expect(terminator.atOnce(true)).toBe(true);
});

it('a server that answers only after it gets it at once before long', () => {
  expect(learnt().atOnce(true)).toBe(true);
});

it('one answer that came without it, and it is held back for good', () => {
  const terminator = learnt();
  terminator.answered(answer(3, -1));
  for (let i = 0; i < 20; i++) terminator.answered(answer(52, 50));
  expect(terminator.atOnce(true)).toBe(false);
});

it('slow scripts, whose answers come some time after it, are not taken for such a server', () => {
  const terminator = new Terminator(50);
  for (let i = 0; i < 20; i++) terminator.answered(answer(52 + 100 * i, 50));
  expect(terminator.atOnce(true)).toBe(false);
});

it('now and then it is held back again, to see whether the server still needs it', () => {
  const terminator = learnt();
  const sent = Array.from({ length: 1_000 }, () => terminator.atOnce(true));
  const heldBack = sent.filter((atOnce) => !atOnce).length;
  expect(heldBack).toBeGreaterThan(0);
  expect(heldBack).toBeLessThan(50);
});

it('a server that has answered without it gets it only after seconds: until then a reset is proof', () => {
  const terminator = new Terminator(50);
  expect(terminator.delay(false)).toBe(50);
  terminator.answered(answer(3, -1));
  expect(terminator.delay(false)).toBeGreaterThanOrEqual(1_000);
});

it('a delay that is longer than that stays as it is', () => {
  const terminator = new Terminator(60_000);
  terminator.answered(answer(3, -1));
  expect(terminator.delay(false)).toBe(60_000);
});

it('a server that is not PHP-FPM gets it at once', () => {
  expect(new Terminator(50).atOnce(false)).toBe(true);
});

it('one that has shown that it is PHP-FPM gets it only after seconds, from the first request on', () => {
  expect(new Terminator(50).delay(true)).toBe(5_000);
});

it('an answer in the middle of a body says nothing of the end', () => {
  const terminator = new Terminator(50);
  terminator.answered(answer(3, -1, false));
  expect(terminator.delay(false)).toBe(50);
});

it('answers that come twice just behind it, after seconds, are against PHP-FPM: it goes out at once', () => {
  const terminator = new Terminator(50);
  terminator.answered(answer(3, -1));
  expect(terminator.answered(answer(5_002, 5_000))).toBe(false);
  expect(terminator.answered(answer(5_002, 5_000))).toBe(true);
  expect(terminator.atOnce(true)).toBe(true);
});
