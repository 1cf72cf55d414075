import { expect, it } from 'vitest';
import { Slots } from '../../../src/pool/slots/slots.ts';

class Seat {
  spent = false;
  readonly nth: number;

  constructor(nth: number) {
    this.nth = nth;
  }
}

function seats(most: number): { places: Slots<Seat>; made: () => number } {
  let made = 0;
  return { places: new Slots(most, () => new Seat(made++)), made: () => made };
}

function taken(places: Slots<Seat>): Promise<Seat> {
  return new Promise((resolve, reject) => places.acquire(resolve, reject));
}

it('nothing is made before it is asked for', () => {
  expect(seats(4).made()).toBe(0);
});

it('the place given back last is taken first', async () => {
  const { places, made } = seats(3);
  const [a, b, c] = [await taken(places), await taken(places), await taken(places)];
  for (const place of [a, b, c]) places.release(place);
  expect([await taken(places), await taken(places), await taken(places)]).toEqual([c, b, a]);
  expect(made()).toBe(3);
});

it('a place whose connection has gone is not handed out, nor does it hide the warm ones below it', async () => {
  const { places } = seats(3);
  const [a, b, c] = [await taken(places), await taken(places), await taken(places)];
  for (const place of [a, b, c]) places.release(place);
  b.spent = true;
  c.spent = true;
  expect(await taken(places)).toBe(a);
});

it('where nothing warm is left, spent places are used again: there are always as many as there may be', async () => {
  const { places, made } = seats(2);
  for (let round = 0; round < 5; round++) {
    const both = [await taken(places), await taken(places)];
    expect(new Set(both).size).toBe(2);
    for (const place of both) {
      place.spent = true;
      places.release(place);
    }
    // With the holder of idle places, and without.
    if (round % 2 === 1) places.releaseUnused();
  }
  expect(made()).toBe(6);
});

it('a warm place that the holder has goes before a spent one in hand', async () => {
  const { places } = seats(3);
  const [a, b] = [await taken(places), await taken(places)];
  places.release(a);
  places.releaseUnused();
  b.spent = true;
  places.release(b);
  expect(await taken(places)).toBe(a);
  expect(await taken(places)).toBe(b);
});

it('asked for all at once, each has a place of its own', async () => {
  const { places } = seats(50);
  const all = await Promise.all(Array.from({ length: 50 }, () => taken(places)));
  expect(new Set(all).size).toBe(50);
});

it('a place that was given back to the holder in between is the same place, and still the last is first', async () => {
  const { places, made } = seats(3);
  const [a, b, c] = [await taken(places), await taken(places), await taken(places)];
  for (const place of [a, b, c]) places.release(place);
  places.releaseUnused();
  expect(await taken(places)).toBe(c);
  places.release(c);
  expect([await taken(places), await taken(places), await taken(places)]).toEqual([c, b, a]);
  expect(made()).toBe(3);
});

it('a place that is in hand is taken at once', async () => {
  const { places } = seats(1);
  const place = await taken(places);
  places.release(place);
  let got: Seat | null = null;
  places.acquire(
    (one) => {
      got = one;
    },
    () => {},
  );
  expect(got).toBe(place);
});
