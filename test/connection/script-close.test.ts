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

it('without such a header nothing is asked, and a head stays as it is', () => {
  const head = { statusCode: 200, statusText: '', headers: { 'x-a': '1' }, rawHeaders: ['X-A', '1'] };
  expect(askedToClose(head)).toBe(false);
  expect(head).toMatchObject({ headers: { 'x-a': '1' }, rawHeaders: ['X-A', '1'] });
});

it('it is found in front of all others, too', () => {
  const headers = { connection: ['close'], 'x-a': '1' };
  const head = { statusCode: 200, statusText: '', headers, rawHeaders: ['Connection', 'close', 'X-A', '1'] };
  expect(askedToClose(head)).toBe(true);
  expect(head.rawHeaders).toEqual(['X-A', '1']);
});
