import { describe, expect, it } from 'vitest';
import { BodyReading } from '../../../src/pool/learned/body-reading.ts';

const TEN_MINUTES = 600_000;
const left = { isBodyDoubted: true, isAccepted: true };

it('PHP is believed to read bodies first', () => {
  expect(new BodyReading().isDoubted(5)).toBe(false);
});

describe('a worker that had a request has left its body unread: for ten minutes', () => {
  const reading = new BodyReading();
  reading.failed(left, 5);
  it.each([
    [5, true],
    [TEN_MINUTES + 4, true],
    [TEN_MINUTES + 5, false],
  ])('at %i: %s', (now, expected) => {
    expect(reading.isDoubted(now)).toBe(expected);
  });
});

it.each([
  ['it went out as if the body was read first', { isBodyDoubted: false }],
  ['no worker was known to have the connection', { isAccepted: false }],
])('but not where %s', (_, change) => {
  const reading = new BodyReading();
  reading.failed({ ...left, ...change }, 5);
  expect(reading.isDoubted(5)).toBe(false);
});
