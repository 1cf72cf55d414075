import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Line, type Stand } from '../../src/upstream/line.ts';

it('those who came first stand first, whoever leaves in between', () => {
  const line = new Line<string>();
  const stands = new Map(['a', 'b', 'c', 'd'].map((name) => [name, line.add(name)]));
  for (const name of ['b', 'a']) line.leave(stands.get(name) as Stand<string | null>);
  expect(line.first).toBe('c');
  expect(line.all()).toEqual(['c', 'd']);
  expect(line.size).toBe(2);
});

it('who has left cannot leave again', () => {
  const line = new Line<string>();
  const a = line.add('a');
  line.add('b');
  line.leave(a);
  line.leave(a);
  expect(line.all()).toEqual(['b']);
  expect(line.size).toBe(1);
});

it('an empty one has no first, and takes new ones', () => {
  const line = new Line<string>();
  line.leave(line.add('a'));
  expect(line.first).toBeNull();
  line.add('b');
  expect(line.first).toBe('b');
});

it('holds what a Set would hold, in the same order', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9)), (moves) => {
      const line = new Line<number>();
      const set = new Set<number>();
      const stands = new Map<number, Stand<number | null>>();
      for (const value of moves) {
        const stand = stands.get(value);
        if (stand === undefined) stands.set(value, line.add(value));
        else {
          line.leave(stand);
          stands.delete(value);
        }
        if (!set.delete(value)) set.add(value);
      }
      expect(line.all()).toEqual([...set]);
      expect(line.size).toBe(set.size);
    }),
  );
});

it('what has left is garbage for the next scavenge, however long the line has been there', () => {
  setFlagsFromString('--expose-gc');
  const gc: (options?: { type: 'minor' }) => void = runInNewContext('gc');
  const line = new Line<{ payload: number[] }>();
  const waiting: Stand<{ payload: number[] } | null>[] = [];
  const pass = (count: number): void => {
    for (let i = 0; i < count; i++) {
      waiting.push(line.add({ payload: new Array(128).fill(i) }));
      if (waiting.length > 8) line.leave(waiting.shift() as Stand<{ payload: number[] } | null>);
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
