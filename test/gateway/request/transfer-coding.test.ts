import { expect, it } from 'vitest';
import { codingRefusal } from '../../../src/gateway/request/transfer-coding.ts';

it.each<[string, 400 | 501 | null]>([
  [' \tchunked\t ', null],
  [',chunked, ,', null],
  ['\u00a0chunked', 400],
  ['\vchunked', 400],
  ['chunked x', 400],
  ['', 400],
  [' , ', 400],
  ['gzip, chunked', 501],
])('blanks and tabs around a coding do not count, nothing else: %j', (coding, refusal) => {
  expect(codingRefusal(coding)).toBe(refusal);
});

it('blanks within a coding take no long time, however many they are', () => {
  const begin = performance.now();
  expect(codingRefusal(`a${' '.repeat(200_000)}b, chunked`)).toBe(501);
  expect(performance.now() - begin).toBeLessThan(3000);
});
