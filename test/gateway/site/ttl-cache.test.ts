import { expect, it } from 'vitest';
import { TtlCache } from '../../../src/gateway/site/ttl-cache.ts';

it('remembers for as long as it is told, and not a moment longer', () => {
  let now = 100;
  const lately = new TtlCache<string>(1000, 10, () => now);
  lately.set('a', 'file');
  now = 1099;
  expect(lately.get('a')).toBe('file');
  now = 1100;
  expect(lately.get('a')).toBeUndefined();
  lately.set('a', 'folder');
  expect(lately.get('a')).toBe('folder');
});

it('never holds more than it is told', () => {
  const lately = new TtlCache<number>(1000, 3, () => 0);
  for (let i = 0; i < 100; i++) lately.set(String(i), i);
  const held = Array.from({ length: 100 }, (_, i) => lately.get(String(i))).filter(
    (value) => value !== undefined,
  );
  expect(held.length).toBeLessThanOrEqual(3);
  expect(held).toContain(99);
});
