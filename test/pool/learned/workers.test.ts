import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Turns } from '../../../src/pool/learned/workers.ts';

/** Longer than any patience, shorter than php-fpm's own 5 s for a first byte. */
const LONG = 2_000;

describe('when a socket must be given up', () => {
  it('never, while no request waits on a fresh socket', () => {
    const turns = new Turns<object>(4);
    expect(turns.mustYield(LONG)).toBe(false);
    expect(turns.anyWaiting).toBe(false);
  });

  it('not at once: php-fpm may take a moment to accept', () => {
    const turns = new Turns<object>(4);
    turns.sent({}, 0, 2);
    expect(turns.mustYield(1)).toBe(false);
  });

  it('once a request has waited for long, and well before php-fpm would close its socket unread', () => {
    const turns = new Turns<object>(4);
    turns.sent({}, 0, 2);
    expect(turns.mustYield(LONG)).toBe(true);
  });

  it('one for each that waits: a second yes for the same request does not come at the same time', () => {
    const turns = new Turns<object>(4);
    turns.sent({}, 0, 2);
    turns.sent({}, 0, 3);
    expect([1, 2, 3].map(() => turns.mustYield(LONG))).toEqual([true, true, false]);
  });

  it('again, for a request that goes on waiting', () => {
    const turns = new Turns<object>(4);
    turns.sent({}, 0, 2);
    expect(turns.mustYield(LONG)).toBe(true);
    expect(turns.mustYield(3 * LONG)).toBe(true);
  });

  it('no more, once it has been answered', () => {
    const turns = new Turns<object>(4);
    const key = {};
    turns.sent(key, 0, 2);
    turns.answered(key, 5, 5, 1);
    expect(turns.anyWaiting).toBe(false);
    expect(turns.mustYield(LONG)).toBe(false);
  });

  it('no more, once it has failed or was given up', () => {
    const turns = new Turns<object>(4);
    const key = {};
    turns.sent(key, 0, 2);
    turns.gone(key, 5);
    expect(turns.mustYield(LONG)).toBe(false);
  });
});

/** One more socket than there are workers waits, another is given up for it, and then it is answered at once. */
function starve(turns: Turns<object>, at: number, sockets: number, workers: number): void {
  const key = {};
  turns.sent(key, at, sockets);
  expect(turns.mustYield(at + LONG)).toBe(true);
  turns.answered(key, at + LONG + 1, LONG + 1, workers);
}

/** A server whose first bytes come after 2 ms, for as long as it takes to know it. */
function warm(most: number): Turns<object> {
  const turns = new Turns<object>(most);
  for (let i = 0; i < 10; i++) turns.answered({}, i, 2, 1);
  return turns;
}

describe('how many sockets are worth having', () => {
  it('as many as the options allow, until it is known better', () => {
    expect(new Turns<object>(16).limit).toBe(16);
  });

  it('as many as were seen to run at once, when sockets have waited for each other again and again', () => {
    const turns = warm(16);
    for (let i = 0; i < 5; i++) starve(turns, 10_000 * i, 3, 2);
    expect(turns.limit).toBe(2);
  });

  it('one slow script says nothing: the limit stays', () => {
    const turns = warm(16);
    const key = {};
    turns.sent(key, 0, 3);
    turns.mustYield(LONG);
    // Long after a socket was given up for it: that was not what it had waited for.
    turns.answered(key, LONG + 5_000, LONG + 5_000, 2);
    expect(turns.limit).toBe(16);
  });

  it('one more is tried now and then, and kept where it has a worker of its own', () => {
    const turns = warm(16);
    for (let i = 0; i < 5; i++) starve(turns, 10_000 * i, 3, 2);
    const now = 1e6;
    expect(turns.capacity(now)).toBe(3);
    const key = {};
    turns.sent(key, now, 3);
    expect(turns.capacity(now)).toBe(2); // one trial at a time
    turns.answered(key, now + 2, 2, 3);
    expect(turns.limit).toBe(3);
  });

  it('a trial that fails is not repeated at once, but one day', () => {
    const turns = warm(16);
    for (let i = 0; i < 5; i++) starve(turns, 10_000 * i, 3, 2);
    const now = 1e6;
    const key = {};
    turns.sent(key, now, 3);
    turns.gone(key, now + 1);
    expect(turns.capacity(now + 2)).toBe(2);
    expect(turns.capacity(now + 60_000)).toBe(3);
  });
});

it('whatever happens, at least one socket is worth having, and never more than allowed', () => {
  const event = fc.record({
    what: fc.constantFrom('sent', 'answered', 'gone', 'yield'),
    after: fc.integer({ min: 0, max: 3_000 }),
    sockets: fc.integer({ min: 1, max: 4 }),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 200 }), (events) => {
      const turns = new Turns<object>(4);
      const waiting: object[] = [];
      let now = 0;
      for (const { what, after, sockets } of events) {
        now += after;
        if (what === 'sent') {
          const key = {};
          waiting.push(key);
          turns.sent(key, now, sockets);
        } else if (what === 'yield') {
          turns.mustYield(now);
        } else {
          const key = waiting.shift() ?? {};
          if (what === 'answered') turns.answered(key, now, after, sockets);
          else turns.gone(key, now);
        }
        expect(turns.limit).toBeGreaterThanOrEqual(1);
        expect(turns.limit).toBeLessThanOrEqual(4);
        expect(turns.capacity(now)).toBeLessThanOrEqual(4);
      }
    }),
  );
});
