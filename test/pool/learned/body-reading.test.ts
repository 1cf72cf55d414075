import { describe, expect, it } from 'vitest';
import { BodyReading } from '../../../src/pool/learned/body-reading.ts';

const TEN_MINUTES = 600_000;

it('PHP is believed to read bodies first', () => {
  expect(new BodyReading().isDoubted(5)).toBe(false);
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
