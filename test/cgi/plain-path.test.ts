import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isPlainName, isPlainPath, plainForm } from '../../src/cgi/plain-path.ts';
import { parseTarget } from '../../src/cgi/target.ts';

it.each([
  '/',
  '/admin/x.php',
  '/a/',
  '/.well-known/x',
  '/...',
  '/a..b/.c',
  '/caf%C3%A9',
  '/caf%c3%a9',
  '/a%20b',
  '/a%40b',
  "/a@b;c=1,d!$&'()*+:~_-.",
  '/100%25',
  '/%2561dmin',
  '/%5Cx',
])('%s is plain', (path) => {
  expect(isPlainPath(path)).toBe(true);
});

it.each([
  '//admin/x.php',
  '/admin//x.php',
  '/admin/x.php//',
  '/./admin/x.php',
  '/admin/.',
  '/a/../admin/x.php',
  '/admin/..',
  '/admin%2fx.php',
  '/admin%2Fx.php',
  '/%61dmin/x.php',
  '/%41dmin/x.php',
  '/x%2ephp',
  '/%2e%2E/x.php',
  '/a%2dmin/x.php',
  '/a%5Fb/x.php',
  '/%7Euser/x.php',
  '/%31/x.php',
  '/admin\\x.php',
  '/admin#/x.php',
  '/caf\xe9/x.php',
  '/a b',
])('%s is not plain', (path) => {
  expect(isPlainPath(path)).toBe(false);
});

it.each<[path: string, segments: number, plain: boolean]>([
  ['/@admin/x.php', 2, true],
  ['/%40admin/x.php', 2, false],
  ['/a%26b.php', 1, false],
  ['/x.php/a%40b', 1, true],
  ['/x%3bphp', 1, false],
  ['/a%20b.php', 1, true],
])('%s names its %i segments plainly: %s', (path, segments, plain) => {
  expect(isPlainName(path, segments)).toBe(plain);
});

it('the plain form of any path is plain, is the same path, and is its own plain form', () => {
  const path = fc
    .array(
      fc.constantFrom('/', '.', '..', '%2f', '%2e', 'a', '%61', '%40', '%5c', '%25', '\\', '%ff', '%C3', '@'),
    )
    .map((parts) => `/${parts.join('')}`);
  fc.assert(
    fc.property(path, (raw) => {
      const target = parseTarget(raw);
      if ('refused' in target) return;
      const plain = plainForm(target.path);
      expect(isPlainPath(plain) && isPlainName(plain, 100)).toBe(true);
      expect(parseTarget(plain)).toMatchObject({ path: target.path });
    }),
  );
});
