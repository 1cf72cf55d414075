import { expect, it } from 'vitest';
import { Names } from '../../src/cgi/names.ts';
import { garbageCollector } from '../fpm/support/gc.ts';

it('a name is looked at once', () => {
  const asked: string[] = [];
  const names = new Names((name) => {
    asked.push(name);
    return name.toLowerCase();
  });
  expect(['Host', 'Cookie', 'Host'].map((name) => names.get(name))).toEqual(['host', 'cookie', 'host']);
  expect(asked).toEqual(['Host', 'Cookie']);
});

it('names that somebody makes up are answered, too, and fill no memory', () => {
  let asked = 0;
  const names = new Names((name) => {
    asked++;
    return name.length;
  });
  for (let i = 0; i < 10_000; i++) expect(names.get(`x-${i}`)).toBe(String(i).length + 2);
  // Asked for again, the first ones are known and the last ones are not.
  asked = 0;
  names.get('x-0');
  expect(asked).toBe(0);
  names.get('x-9999');
  expect(asked).toBe(1);
});

it('a name that is remembered does not keep the text that it was cut from', () => {
  const gc = garbageCollector();
  const names = new Names((name) => name.length);
  gc();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 400; i++) {
    const head = Buffer.alloc(65_536, `x-long-name-of-a-header-${i}: `).toString('latin1');
    names.get(head.slice(0, head.indexOf(':')));
  }
  gc();
  // The texts have 25 MiB.
  expect((process.memoryUsage().heapUsed - before) / 1024 / 1024).toBeLessThan(2);
});

it('a name of any length is answered, but not remembered beyond 64 chars', () => {
  let asked = 0;
  const names = new Names(() => {
    asked++;
    return asked;
  });
  for (const length of [64, 65]) for (let i = 0; i < 2; i++) names.get('n'.repeat(length));
  expect(asked).toBe(3);
});
