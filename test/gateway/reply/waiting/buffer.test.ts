import { describe, expect, it } from 'vitest';
import { BufferSpace, ReplyBuffer } from '../../../../src/gateway/reply/waiting/buffer.ts';

class Client {
  readonly told: (() => void)[] = [];
  whenTaken(callback: () => void): void {
    this.told.push(callback);
  }
}

/** Bytes that can be taken from the space at once. */
function free(space: BufferSpace): number {
  let low = 0;
  for (let step = 2 ** 30; step >= 1; step /= 2) {
    if (space.take(low + step)) {
      space.giveBack(low + step);
      low += step;
    }
  }
  return low;
}

describe('the backlog of a reply', () => {
  it('takes a small page without asking for the common space', () => {
    const space = new BufferSpace(0);
    const client = new Client();
    const backlog = new ReplyBuffer(1_000_000, space, client);
    expect([30_000, 30_000].map((bytes) => backlog.add(bytes))).toEqual([true, true]);
    expect(client.told).toEqual([]);
    expect(backlog.add(30_000)).toBe(false);
  });

  it('takes up to its limit, and no more', () => {
    const backlog = new ReplyBuffer(200_000, new BufferSpace(1_000_000), new Client());
    expect(backlog.add(150_000)).toBe(true);
    expect(backlog.add(49_999)).toBe(false);
  });

  it('of 0 bytes takes nothing', () => {
    expect(new ReplyBuffer(0, new BufferSpace(1_000_000), new Client()).add(1)).toBe(false);
  });

  it('gives all back when its client has caught up, and can take as much again', () => {
    const space = new BufferSpace(100_000);
    const backlog = new ReplyBuffer(1_000_000, space, new Client());
    expect(backlog.add(150_000)).toBe(true);
    expect(free(space)).toBeLessThan(20_000);
    expect(backlog.add(50_000)).toBe(false);
    backlog.clear();
    expect(free(space)).toBe(100_000);
    expect(backlog.add(150_000)).toBe(true);
  });

  it('of an ended reply keeps its space until the client has it', () => {
    const space = new BufferSpace(100_000);
    const client = new Client();
    new ReplyBuffer(1_000_000, space, client).add(100_000);
    expect(free(space)).toBeLessThan(100_000);
    expect(client.told).toHaveLength(1);
    for (const tell of client.told) tell();
    expect(free(space)).toBe(100_000);
  });

  it('is full of single bytes long before these have become a million objects', () => {
    const backlog = new ReplyBuffer(1_048_576, new BufferSpace(1e9), new Client());
    let pieces = 0;
    while (backlog.add(1)) pieces++;
    expect(pieces).toBeLessThan(2100);
  });
});

it('together the backlogs of a gateway hold no more than its space, whoever comes first', () => {
  const space = new BufferSpace(1_000_000);
  const backlogs = Array.from({ length: 100 }, () => new ReplyBuffer(500_000, space, new Client()));
  let held = 0;
  for (const backlog of backlogs) while (backlog.add(9_488)) held += 9_488;
  expect(held).toBeLessThanOrEqual(1_000_000 + 100 * 65_536);
  expect(held).toBeGreaterThan(1_000_000);
});
