import { describe, expect, it } from 'vitest';
import { defaultSplitPath, namedScript, splitScript } from '../../src/cgi/script.ts';

const php = defaultSplitPath;

describe('the script in a path', () => {
  it.each([
    ['/index.php', '/index.php', ''],
    ['/index.php/', '/index.php', '/'],
    ['/a/b.php/c/d', '/a/b.php', '/c/d'],
    ['/a.php/b.php', '/a.php', '/b.php'],
    ['/a.php.php', '/a.php.php', ''],
    ['/a b\xff.php/\xff', '/a b\xff.php', '/\xff'],
    ['/.well-known/x.php', '/.well-known/x.php', ''],
    ['/x.php/.hidden', '/x.php', '/.hidden'],
    ['/a\\b.php', '/a\\b.php', ''],
  ])('%s is %s, then "%s"', (path, scriptName, pathInfo) => {
    expect(splitScript(path, php)).toEqual({ scriptName, pathInfo });
  });

  it.each([
    ['nothing ends in .php', '/a/b.html'],
    ['the root', '/'],
    ['a folder', '/php/'],
    ['.php inside a segment', '/a.php5/b'],
    ['another case', '/a.PHP'],
    ['another case, of one letter', '/a.phP/x'],
    ['U+017F, which upper-cases to S', '/a.ph\xc5\xbf'],
    ['full-width letters, as UTF-8', '/a\xef\xbc\x8ephp'],
    ['the Kelvin sign and friends before .php', '/a.ph\xe2\x84\xaa'],
    ['a blank after it', '/a.php '],
    ['a dot after it', '/a.php.'],
    ['a stream of NTFS', '/a.php::$DATA'],
    ['a name that is only the suffix', '/.php'],
    ['a hidden script', '/.x.php'],
    ['a script in a hidden folder', '/.git/x.php'],
    ['a script below one', '/a/.svn/b/x.php'],
    ['one like .well-known', '/.well-known2/x.php'],
  ])('is none where it is %s', (_, path) => {
    expect(splitScript(path, php)).toBeNull();
  });

  it('is cut by bytes, so a name before it cannot move the border (CVE-2026-27590)', () => {
    // U+0130 becomes longer when it is lower-cased
    expect(splitScript('/\xc4\xb0\xc4\xb0\xc4\xb0.php/x.txt.php', php)).toEqual({
      scriptName: '/\xc4\xb0\xc4\xb0\xc4\xb0.php',
      pathInfo: '/x.txt.php',
    });
  });

  it('is the next one where the first was a folder', () => {
    const first = splitScript('/a.php/b/c.php/d.php', php);
    expect(first?.scriptName).toBe('/a.php');
    const second = splitScript('/a.php/b/c.php/d.php', php, first ?? undefined);
    expect(second).toEqual({ scriptName: '/a.php/b/c.php', pathInfo: '/d.php' });
    const third = splitScript('/a.php/b/c.php/d.php', php, second ?? undefined);
    expect(third).toEqual({ scriptName: '/a.php/b/c.php/d.php', pathInfo: '' });
    expect(splitScript('/a.php/b/c.php/d.php', php, third ?? undefined)).toBeNull();
  });

  it('may have another suffix', () => {
    expect(splitScript('/a.php/b.phtml/c', ['.phtml'])).toEqual({
      scriptName: '/a.php/b.phtml',
      pathInfo: '/c',
    });
    expect(splitScript('/a.phtml/b.php', ['.php', '.phtml'])?.scriptName).toBe('/a.phtml');
  });
});

describe('with no file to look at', () => {
  const site = { index: 'index.php', frontController: undefined, splitPath: php };
  const withFront = { ...site, frontController: '/app.php' };

  it('a path that names a script gets it', () => {
    expect(namedScript('/a.php/b', site)).toEqual({ scriptName: '/a.php', pathInfo: '/b' });
    expect(namedScript('/a.php/b', withFront)).toEqual({ scriptName: '/a.php', pathInfo: '/b' });
  });

  it('a folder gets its index, or the front controller where there is one', () => {
    expect(namedScript('/', site)).toEqual({ scriptName: '/index.php', pathInfo: '' });
    expect(namedScript('/blog/', site)).toEqual({ scriptName: '/blog/index.php', pathInfo: '' });
    expect(namedScript('/blog/', withFront)).toEqual({ scriptName: '/app.php', pathInfo: '' });
  });

  it('anything else gets the front controller, or nothing', () => {
    expect(namedScript('/blog/post', withFront)).toEqual({ scriptName: '/app.php', pathInfo: '' });
    expect(namedScript('/style.css', site)).toBeNull();
    expect(namedScript('/.git/', site)).toBeNull();
  });
});
