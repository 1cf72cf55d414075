import { describe, expect, it } from 'vitest';
import { Recycling } from '../../../src/pool/learned/recycling.ts';

function learned(limit: number): Recycling {
  const recycling = new Recycling();
  for (let i = 0; i < 3; i++) recycling.ended(limit);
  return recycling;
}

/** How many requests each of so many new connections may carry. */
function caps(recycling: Recycling, count: number): number[] {
  return Array.from({ length: count }, () => recycling.cap());
}

describe('what the pool learns of pm.max_requests', () => {
  it('is nothing from connections that end anywhere', () => {
    const recycling = new Recycling();
    for (const requests of [50, 50, 12, 50, 50, 7]) recycling.ended(requests);
    expect(caps(recycling, 100).every((cap) => cap === Number.POSITIVE_INFINITY)).toBe(true);
  });

  it('is the number at which three connections in a row have ended', () => {
    expect(learned(50).cap()).toBe(50);
  });

  it('is checked: one connection of twenty-five may live on', () => {
    const open = caps(learned(50), 100).filter((cap) => cap === Number.POSITIVE_INFINITY);
    expect(open.length).toBe(4);
  });

  it('is forgotten as soon as a connection outlives it', () => {
    const recycling = learned(50);
    recycling.outlived(50);
    expect(recycling.cap()).toBe(50);
    recycling.outlived(51);
    expect(recycling.cap()).toBe(Number.POSITIVE_INFINITY);
  });

  it('becomes smaller when the limit does', () => {
    const recycling = learned(50);
    for (let i = 0; i < 3; i++) recycling.ended(5);
    expect(recycling.cap()).toBe(5);
  });

  it('takes no notice of connections that ended before their first answer', () => {
    const recycling = new Recycling();
    for (let i = 0; i < 9; i++) recycling.ended(0);
    expect(recycling.cap()).toBe(Number.POSITIVE_INFINITY);
  });
});
