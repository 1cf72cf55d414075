import { expect, it } from 'vitest';
import { isHidden, isPhpSource } from '../../../src/cli/serve/policy.ts';

it.each([
  '/x.php',
  '/x.PHP',
  '/a/x.Php',
  '/x.php3',
  '/x.php5',
  '/x.php8',
  '/x.phtml',
  '/x.PHTML',
  '/x.phar',
  '/x.phps',
  '/x.pht',
  '/db.inc',
  '/x.php~',
  '/x.php.bak',
  '/x.php.old',
  '/x.php.swp',
  '/x.php.1',
  '/x.php.dist',
  '/x.php_old',
  '/x.php ',
  '/config.php.bak~',
  '/x.php-save',
  '/x.inc.orig',
])('%s is PHP source', (path) => {
  expect(isPhpSource(path)).toBe(true);
});

it.each([
  '/',
  '/a.css',
  '/php.css',
  '/mode-php.js',
  '/x.php.js',
  '/x.php.png',
  '/php',
  '/x.php.d/a.txt',
  '/x.phpx.txt',
  '/include',
])('%s is not', (path) => {
  expect(isPhpSource(path)).toBe(false);
});

it.each([
  '/.env',
  '/.git/config',
  '/a/.htpasswd',
  '/.well-known/.secret',
  '/a/.well-known/x',
  '/.well-known',
  '/..a',
])('%s is hidden', (path) => {
  expect(isHidden(path)).toBe(true);
});

it.each(['/', '/a', '/a.b/c.d', '/.well-known/acme-challenge/x', '/.well-known/'])(
  '%s is not hidden',
  (path) => {
    expect(isHidden(path)).toBe(false);
  },
);
