import { describe, expect, it } from 'vitest';
import { BodyReading } from '../../../src/pool/learned/body-reading.ts';

const TEN_MINUTES = 600_000;

it('PHP is believed to read bodies first', () => {
  expect(new BodyReading().isDoubted(5)).toBe(false);
});

it('a request that tells a worker when to read bodies has told them all, for good', () => {
  const reading = new BodyReading();
  expect(reading.isChanged).toBe(false);
  reading.changed();
  expect([reading.isChanged, reading.isDoubted(5)]).toEqual([true, false]);
});

describe('a worker that had a request has left its body unread: for ten minutes', () => {
  const reading = new BodyReading();
  reading.bodyLeft(5);
  it.each([
    [5, true],
    [TEN_MINUTES + 4, true],
    [TEN_MINUTES + 5, false],
  ])('at %i: %s', (now, expected) => {
    expect(reading.isDoubted(now)).toBe(expected);
  });
});
