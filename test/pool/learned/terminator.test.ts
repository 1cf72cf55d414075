import { expect, it } from 'vitest';
import { Exchange, type ExchangeListener } from '../../../src/connection/exchange.ts';
import { Terminator } from '../../../src/pool/learned/terminator.ts';

const nobody: ExchangeListener = { onHead() {}, onData() {}, onStderr() {}, onComplete() {}, onFailed() {} };

/** An answer `firstByteAfter` ms after the start, the terminator sent after `terminatorAfter` ms (-1: it was not). */
function answer(firstByteAfter: number, terminatorAfter: number): Exchange {
  const exchange = new Exchange(nobody, true, true, 0, 0);
  exchange.firstByteAfter = firstByteAfter;
  exchange.terminatorAfter = terminatorAfter;
  return exchange;
}

/** A server that reads to the end of its input, as the pool meets it: its first answers come just after the record. */
function learnt(): Terminator {
  const terminator = new Terminator(50);
  for (let i = 0; i < 10 && !terminator.atOnce(); i++) terminator.answered(answer(52, 50));
  return terminator;
}

it('the record is held back from a server of which nothing is known', () => {
  expect(new Terminator(50).atOnce()).toBe(false);
});

it('a delay of 0 sends it at once, whatever is seen', () => {
  const terminator = new Terminator(0);
  expect(terminator.atOnce()).toBe(true);
  terminator.answered(answer(1, -1));
  expect(terminator.atOnce()).toBe(true);
});

it('a server that answers only after it gets it at once before long', () => {
  expect(learnt().atOnce()).toBe(true);
});

it('one answer that came without it, and it is held back for good', () => {
  const terminator = learnt();
  terminator.answered(answer(3, -1));
  for (let i = 0; i < 20; i++) terminator.answered(answer(52, 50));
  expect(terminator.atOnce()).toBe(false);
});

it('slow scripts, whose answers come some time after it, are not taken for such a server', () => {
  const terminator = new Terminator(50);
  for (let i = 0; i < 20; i++) terminator.answered(answer(52 + 100 * i, 50));
  expect(terminator.atOnce()).toBe(false);
});

it('now and then it is held back again, to see whether the server still needs it', () => {
  const terminator = learnt();
  const sent = Array.from({ length: 1_000 }, () => terminator.atOnce());
  const heldBack = sent.filter((atOnce) => !atOnce).length;
  expect(heldBack).toBeGreaterThan(0);
  expect(heldBack).toBeLessThan(50);
});

it('a server that has answered without it gets it only after seconds: until then a reset is proof', () => {
  const terminator = new Terminator(50);
  expect(terminator.delay).toBe(50);
  terminator.answered(answer(3, -1));
  expect(terminator.delay).toBeGreaterThanOrEqual(1_000);
});

it('a delay that is longer than that stays as it is', () => {
  const terminator = new Terminator(60_000);
  terminator.answered(answer(3, -1));
  expect(terminator.delay).toBe(60_000);
});

it('where some scripts answer and others wait for it, they wait for seconds twice and not again', () => {
  const terminator = new Terminator(50);
  for (let i = 0; i < 2; i++) {
    terminator.answered(answer(3, -1));
    terminator.answered(answer(terminator.delay + 2, terminator.delay));
  }
  terminator.answered(answer(3, -1));
  expect(terminator.delay).toBe(50);
});
