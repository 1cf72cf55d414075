import { describe, expect, it } from 'vitest';
import { askedToClose } from '../../src/connection/script-close.ts';

describe('Connection in the head of a script', () => {
  it.each([
    [['close'], true, []],
    [['Close'], true, []],
    [['keep-alive'], false, []],
    [['X-A'], false, ['X-A']],
    [['X-A, close', 'keep-alive, X-B'], true, ['X-A', 'X-B']],
    [['disclose'], false, ['disclose']],
    [[''], false, []],
  ])('%j: asks to close %s, and what it names besides stays: %j', (values, closes, named) => {
    const head = {
      statusCode: 200,
      statusText: '',
      headers: { connection: values, 'x-a': '1' },
      rawHeaders: ['X-A', '1', ...values.flatMap((value) => ['Connection', value])],
    };
    expect(askedToClose(head)).toBe(closes);
    expect(head.rawHeaders).toEqual(['X-A', '1', ...named.flatMap((name) => ['Connection', name])]);
    expect(head.headers.connection).toEqual(named.length === 0 ? undefined : named.join(', '));
  });
});
