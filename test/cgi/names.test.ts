import { expect, it } from 'vitest';
import { Names } from '../../src/cgi/names.ts';

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
