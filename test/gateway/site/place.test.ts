import { describe, expect, it } from 'vitest';
import { placeOf } from '../../../src/gateway/site/place.ts';
import { requestLine } from '../../../src/gateway/site/request-line.ts';

interface Row {
  readonly url: string;
  readonly originalUrl?: string;
  readonly baseUrl?: string;
  readonly params?: unknown;
  readonly mount?: string;
}

/** `mount|path|query|uri`, `*` in front where it was rewritten. */
function placed({ mount = '', ...given }: Row): string {
  const place = placeOf(requestLine({ method: 'GET', ...given }), mount);
  if ('refused' in place) return place.refused;
  const { target, whole, isRewritten } = place;
  return `${isRewritten ? '*' : ''}${place.mount}|${target.path}|${target.query}|${whole.uri}`;
}

describe('a site stands', () => {
  it.each<[string, Row, string]>([
    ['at the root', { url: '/a.php?x' }, '|/a.php|x|/a.php?x'],
    ['at a mount of connect', { url: '/a?x', originalUrl: '/blog/a?x' }, '/blog|/a|x|/blog/a?x'],
    ['at the bare mount of connect', { url: '/?x', originalUrl: '/blog?x' }, '/blog|/|x|/blog?x'],
    ['at the bare mount of polka', { url: '?x', originalUrl: '/blog?x' }, '/blog|/|x|/blog?x'],
    ['at a mount of Express', { url: '/a', originalUrl: '/b/c/a', baseUrl: '/b/c' }, '/b/c|/a||/b/c/a'],
    ['at its bare mount', { url: '/', originalUrl: '/b', baseUrl: '/b' }, '/b|/||/b'],
    [
      'at an encoded mount',
      { url: '/a', originalUrl: '/caf%C3%A9/a', baseUrl: '/caf%C3%A9' },
      '/caf\xc3\xa9|/a||/caf%C3%A9/a',
    ],
    [
      'below a parameter',
      { url: '/a', originalUrl: '/u/7/a', baseUrl: '/u/7', params: { id: '7' } },
      '/u/7|/a||/u/7/a',
    ],
    ['at the configured mount, taken off', { url: 'http://x/a?q', mount: '/blog' }, '/blog|/a|q|/blog/a?q'],
    ['at the configured mount, still there', { url: '/blog/a?q', mount: '/blog' }, '/blog|/a|q|/blog/a?q'],
    ['at the configured mount, bare', { url: '/blog', mount: '/blog' }, '/blog|/||/blog'],
    [
      'beside a name that only begins like it',
      { url: '/blog2/a', mount: '/blog' },
      '/blog|/blog2/a||/blog/blog2/a',
    ],
  ])('%s', (_, row, expected) => {
    expect(placed(row)).toBe(expected);
  });
});

describe('a wildcard is no mount point', () => {
  it.each<[string, Row, string]>([
    [
      '/*splat',
      { url: '/', originalUrl: '/a/b', baseUrl: '/a/b', params: { splat: ['a', 'b'] } },
      '|/a/b||/a/b',
    ],
    [
      'with a query',
      { url: '/?x', originalUrl: '/a/b?x', baseUrl: '/a/b', params: { splat: ['a', 'b'] } },
      '|/a/b|x|/a/b?x',
    ],
    [
      'with a slash at the end',
      { url: '/', originalUrl: '/a/', baseUrl: '/a', params: { path: ['a'] } },
      '|/a/||/a/',
    ],
    [
      'with escapes',
      { url: '/', originalUrl: '/a%20b', baseUrl: '/a%20b', params: { path: ['a b'] } },
      '|/a b||/a%20b',
    ],
    [
      'below a mount',
      { url: '/', originalUrl: '/m/a/b', baseUrl: '/m/a/b', params: { splat: ['a', 'b'] } },
      '/m|/a/b||/m/a/b',
    ],
    ['of Express 4', { url: '/', originalUrl: '/a/b', baseUrl: '/a/b', params: { 0: 'a/b' } }, '|/a/b||/a/b'],
  ])('%s', (_, row, expected) => {
    expect(placed(row)).toBe(expected);
  });
});

describe("a rewritten URL is nginx's rewrite", () => {
  it.each<[string, Row, string]>([
    ['at the root', { url: '/app.php?id=7', originalUrl: '/item/7', baseUrl: '' }, '*|/app.php|id=7|/item/7'],
    ['without Express', { url: '/app.php?id=7', originalUrl: '/item/7' }, '*|/app.php|id=7|/item/7'],
    [
      'mounted',
      { url: '/app.php?id=7', originalUrl: '/m/item/7', baseUrl: '/m' },
      '*/m|/app.php|id=7|/m/item/7',
    ],
    [
      'mounted, configured',
      { url: '/app.php?id=7', originalUrl: '/m/item/7', mount: '/m' },
      '*/m|/app.php|id=7|/m/item/7',
    ],
    ['in its query alone', { url: '/a.php?b', originalUrl: '/a.php', baseUrl: '' }, '*|/a.php|b|/a.php'],
    ['to the home page', { url: '/', originalUrl: '/start', baseUrl: '' }, '*|/||/start'],
  ])('%s', (_, row, expected) => {
    expect(placed(row)).toBe(expected);
  });
});

it('a bad URL is named', () => {
  expect(placed({ url: '/a', originalUrl: '/%00/a' })).toBe('control byte');
  expect(placed({ url: '/..', originalUrl: '/..' })).toBe('leaves the root');
});
