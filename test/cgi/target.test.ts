import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type InvalidTarget, parseTarget, type RequestTarget } from '../../src/cgi/target.ts';

function target(url: string): RequestTarget {
  const parsed = parseTarget(url);
  if ('refused' in parsed) throw new Error(`${url} was refused: ${parsed.refused}`);
  return parsed;
}

function refusal(url: string): InvalidTarget['refused'] {
  const parsed = parseTarget(url);
  if (!('refused' in parsed)) throw new Error(`${url} was taken as ${parsed.path}`);
  return parsed.refused;
}

describe('a path', () => {
  it.each([
    ['/', '/'],
    ['/a/b.php', '/a/b.php'],
    ['/a%20b', '/a b'],
    ['/%61%2E%70hp', '/a.php'],
    ['/a%2Fb', '/a/b'],
    ['/100%25', '/100%'],
    ['/%252e%252e/x', '/%2e%2e/x'],
    ['/a+b', '/a+b'],
    ['/what%3Fx', '/what?x'],
    ['/a//b///c', '/a/b/c'],
    ['//evil.example/x', '/evil.example/x'],
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/a//../b', '/b'],
    ['/a/b/..', '/a/'],
    ['/a/.', '/a/'],
    ['/a/', '/a/'],
    ['/a%2f..%2fb', '/b'],
    ['/a/..', '/'],
    ['/...', '/...'],
    ['/..a', '/..a'],
    ['/a..', '/a..'],
    ['/a\\..\\b', '/a\\..\\b'],
  ])('%s is %s', (url, path) => {
    expect(target(url).path).toBe(path);
  });

  it('keeps bytes that are not UTF-8, escaped or not', () => {
    expect(target('/%ff\xe9%C3%A9').path).toBe('/\xff\xe9\xc3\xa9');
  });

  it.each(['/..', '/../x', '/a/../../x', '/%2e%2e/x', '/.%2e/x', '/%2e./x', '/a/..%2f..%2fx', '//..//x'])(
    '%s leaves the root',
    (url) => {
      expect(refusal(url)).toBe('leaves the root');
    },
  );

  it.each(['/%', '/%4', '/%4g', '/%gg', '/%%41', '/x%u0041', '/a%'])('%s has a bad escape', (url) => {
    expect(refusal(url)).toBe('bad percent-escape');
  });

  it.each([
    '/a%00.php',
    '/a%0aX',
    '/a%0d',
    '/%09',
    '/%7f',
    '/a\0',
    '/a\nb',
    '/a?\r\n',
    '/\u010a',
    '/?\u{1f600}',
  ])('%j has a control byte, or a char that is none', (url) => {
    expect(refusal(url)).toBe('control byte');
  });

  it('resolved never has a dot segment, a double slash or a control byte, whatever was asked for', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '/',
        '.',
        '..',
        '%2e',
        '%2f',
        '%5c',
        '%',
        '%00',
        '%25',
        'a',
        '//',
        '/../',
        '\\',
        '\xff',
      ),
      fc.integer({ min: 0, max: 255 }).map((byte) => `%${byte.toString(16).padStart(2, '0')}`),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const parsed = parseTarget(`/${pieces.join('')}`);
        if ('refused' in parsed) return;
        expect(parsed.path).toMatch(/^\//);
        expect(parsed.path).not.toMatch(/\/\.{0,2}\/|\/\.{1,2}$/);
        expect(parsed.path).not.toMatch(/[^\x20-\x7e\x80-\xff]/);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a target', () => {
  it('keeps path and query as they were sent', () => {
    const url = '/a%20b//../c?x=%00&y=/../?z';
    expect(target(url)).toEqual({ uri: url, query: 'x=%00&y=/../?z', path: '/c', authority: '' });
  });

  it('loses its fragment', () => {
    expect(target('/a?b#c?d')).toMatchObject({ uri: '/a?b', query: 'b', path: '/a' });
    expect(target('/a#b?c')).toMatchObject({ uri: '/a', query: '', path: '/a' });
  });

  it.each([
    ['http://example.org/a?b', '/a?b', '/a', 'example.org'],
    ['HTTPS://[::1]:8443/a', '/a', '/a', '[::1]:8443'],
    ['http://example.org', '/', '/', 'example.org'],
    ['http://example.org?x=/..', '/?x=/..', '/', 'example.org'],
  ])('%s, as to a proxy, is %s', (url, uri, path, authority) => {
    expect(target(url)).toMatchObject({ uri, path, authority });
  });

  it.each([
    '*',
    '',
    'index.php',
    'example.org:443',
    'ftp://example.org/',
    'http:/x',
    'http:///x',
    'https://?x',
    '\\x',
  ])('%j is no path', (url) => {
    expect(refusal(url)).toBe('not a path');
  });
});
