import { describe, expect, it } from 'vitest';
import { quantityOf } from '../../../src/cli/php/quantity.ts';

describe('a size of php.ini', () => {
  it.each([
    ['100', 100],
    ['512k', 512 * 1024],
    ['8M', 8 * 1024 * 1024],
    ['8m', 8 * 1024 * 1024],
    [' 2G ', 2 * 1024 * 1024 * 1024],
    ['8 M', 8 * 1024 * 1024],
    // PHP's manual: "1.5M" is 1M, and an unknown letter at the end is no multiplier
    ['1.5M', 1024 * 1024],
    ['8MB', 8],
    ['10KB', 10],
    ['1xM', 1024 * 1024],
    ['0x10', 16],
    ['010M', 8 * 1024 * 1024],
    ['-1', -1],
    ['-1K', -1024],
    ['0', 0],
    ['', 0],
    ['M', 0],
  ])('%j is %d bytes, as PHP takes it', (text, bytes) => {
    expect(quantityOf(text) + 0).toBe(bytes);
  });
});
