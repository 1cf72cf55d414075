import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LinkedList, type ListNode } from '../../../src/pool/queue/linked-list.ts';
import { garbageCollector } from '../../fpm/support/gc.ts';

class One implements ListNode<One> {
  list: LinkedList<One> | null = null;
  previous: One | null = null;
  next: One | null = null;
  readonly name: number;
  readonly payload: readonly number[];

  constructor(name: number, payload: readonly number[] = []) {
    this.name = name;
    this.payload = payload;
  }
}

const names = (line: LinkedList<One>): number[] => line.toArray().map(({ name }) => name);

it('those who came first stand first, whoever leaves in between', () => {
  const line = new LinkedList<One>();
  const [a, b, c, d] = [new One(1), new One(2), new One(3), new One(4)];
  for (const one of [a, b, c, d]) line.add(one);
  for (const one of [b, a]) line.remove(one);
  expect(line.first).toBe(c);
  expect(line.toArray()).toEqual([c, d]);
  expect(line.size).toBe(2);
});

it('who has left cannot leave again', () => {
  const line = new LinkedList<One>();
  const a = new One(1);
  line.add(a);
  line.add(new One(2));
  line.remove(a);
  line.remove(a);
  expect(names(line)).toEqual([2]);
  expect(line.size).toBe(1);
});

it('an empty one has no first, and takes new ones', () => {
  const line = new LinkedList<One>();
  const a = new One(1);
  line.add(a);
  line.remove(a);
  expect(line.first).toBeNull();
  line.add(a);
  expect(line.first).toBe(a);
});

it('who stands in one line is not made to leave another', () => {
  const here = new LinkedList<One>();
  const there = new LinkedList<One>();
  const a = new One(1);
  here.add(a);
  there.remove(a);
  expect(names(here)).toEqual([1]);
  expect(there.size).toBe(0);
});

it('nobody stands twice: who is added again goes to the end', () => {
  const line = new LinkedList<One>();
  const a = new One(1);
  line.add(a);
  line.add(new One(2));
  line.add(a);
  expect(names(line)).toEqual([2, 1]);
  expect(line.size).toBe(2);
});

it('who goes to the front stands before all others, and is the last of nobody else', () => {
  const line = new LinkedList<One>();
  const [a, b, c] = [new One(1), new One(2), new One(3)];
  line.addFirst(a);
  line.addFirst(b);
  line.add(c);
  expect(names(line)).toEqual([2, 1, 3]);
  line.addFirst(c);
  line.remove(b);
  expect(names(line)).toEqual([3, 1]);
  expect(line.size).toBe(2);
});

it('two lines hold what two Sets would hold, in the same order, whoever moves between them', () => {
  const where = fc.constantFrom(0, 1, null);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(9), where)), (moves) => {
      const lines = [new LinkedList<One>(), new LinkedList<One>()];
      const sets = [new Set<number>(), new Set<number>()];
      const all = Array.from({ length: 10 }, (_, name) => new One(name));
      for (const [name, to] of moves) {
        const one = all[name] as One;
        for (const set of sets) set.delete(name);
        if (to === null) {
          one.list?.remove(one);
        } else {
          lines[to]?.add(one);
          sets[to]?.add(name);
        }
      }
      expect(lines.map(names)).toEqual(sets.map((set) => [...set]));
      expect(lines.map(({ size }) => size)).toEqual(sets.map(({ size }) => size));
    }),
  );
});

it('what has left is garbage for the next scavenge, however long the line has been there', () => {
  const gc = garbageCollector();
  const line = new LinkedList<One>();
  const pass = (count: number): void => {
    for (let i = 0; i < count; i++) {
      line.add(new One(i, new Array(128).fill(i)));
      if (line.size > 8 && line.first !== null) line.remove(line.first);
      if (i % 500 === 0) gc({ type: 'minor' });
    }
  };
  pass(5_000);
  gc();
  gc({ type: 'minor' });
  const before = process.memoryUsage().heapUsed;
  pass(20_000);
  gc({ type: 'minor' });
  gc({ type: 'minor' });
  // 20 MiB have passed. A Set of them keeps half of that.
  expect((process.memoryUsage().heapUsed - before) / 1024).toBeLessThan(1024);
});
