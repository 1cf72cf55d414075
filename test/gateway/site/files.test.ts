import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { GatewayOptions } from '../../../src/gateway/options.ts';
import { readOptions } from '../../../src/gateway/settings.ts';
import { type Choice, filesOf } from '../../../src/gateway/site/files.ts';
import { type TempSite, tempSite } from '../temp-site.ts';

const sites: TempSite[] = [];
afterEach(() => {
  for (const site of sites.splice(0)) site.remove();
});

function siteWith(...names: string[]): TempSite {
  const site = tempSite(Object.fromEntries(names.map((name) => [name, '<?php'])));
  sites.push(site);
  return site;
}

/** 'run /a.php /info', 'folder', 'pass' or 'refuse'. */
function chosen(site: TempSite, path: string, options: Partial<GatewayOptions<never>> = {}): string {
  const choice: Choice = filesOf(readOptions({ root: site.root, ...options })).choose(path);
  return choice.kind === 'run'
    ? `run ${choice.script.scriptName} ${choice.script.pathInfo}`.trimEnd()
    : choice.kind;
}

describe('a script runs', () => {
  it.each([
    ['/a.php', 'run /a.php'],
    ['/a.php/b', 'run /a.php /b'],
    ['/', 'run /index.php'],
    ['/sub/', 'run /sub/index.php'],
    ['/dir.php/', 'run /dir.php/index.php'],
    ['/dir.php/index.php/x', 'run /dir.php/index.php /x'],
    ['/na\xefve.php', 'pass'],
  ])('for %s: %s', (path, choice) => {
    const site = siteWith('a.php', 'index.php', 'sub/index.php', 'dir.php/index.php');
    expect(chosen(site, path)).toBe(choice);
  });

  it('whose name is not UTF-8', () => {
    const site = siteWith('index.php');
    writeFileSync(Buffer.concat([Buffer.from(`${site.root}/`), Buffer.from('\xff.php', 'latin1')]), '');
    expect(chosen(site, '/\xff.php/\xfe')).toBe('run /\xff.php /\xfe');
    // U+FFFD, by which a decoder would replace that byte, is another name
    expect(chosen(site, '/\xef\xbf\xbd.php')).toBe('pass');
  });

  it('the first index that there is', () => {
    const site = siteWith('home.php', 'sub/index.php', 'static/index.html', 'static/index.php');
    const options = { index: ['index.html', 'home.php', 'index.php'] };
    expect(chosen(site, '/', options)).toBe('run /home.php');
    expect(chosen(site, '/sub/', options)).toBe('run /sub/index.php');
    expect(chosen(site, '/static/', options)).toBe('pass');
  });
});

describe('a script does not run', () => {
  it.each([
    ['a picture in front of a made-up script', '/uploads/evil.jpg/x.php', 'pass'],
    ['the picture itself', '/uploads/evil.jpg', 'pass'],
    ['a folder called like one', '/dir.php', 'pass'],
    ['a script that does not exist', '/none.php', 'pass'],
    ['a script below one that does not exist', '/none.php/a.php', 'pass'],
    ['a name in capitals that exists', '/UPPER.PHP', 'refuse'],
    ['PHP source by another ending', '/old.phtml', 'refuse'],
    ['an archive of PHP', '/x.phar', 'refuse'],
    ['a hidden script', '/.hidden.php', 'refuse'],
    ['a script in a hidden folder', '/.git/hook.php', 'refuse'],
    ['a folder without index', '/uploads/', 'pass'],
    ['a name of more than 255 bytes', `/${'x'.repeat(300)}.php`, 'pass'],
    ['a path of more than 4096 bytes', `${'/x'.repeat(3000)}.php`, 'pass'],
  ])('where it is %s', (_, path, choice) => {
    const site = siteWith(
      'a.php',
      'uploads/evil.jpg',
      'dir.php/x.txt',
      'UPPER.PHP',
      'old.phtml',
      'x.phar',
      '.hidden.php',
      '.git/hook.php',
    );
    expect(chosen(site, path)).toBe(choice);
  });

  it('outside the root, through whatever link', () => {
    const site = siteWith('index.php', '../outside/evil.php', '../root-sibling/evil.php');
    site.link(join(site.outside, 'evil.php'), 'link.php');
    site.link('../outside', 'folder');
    site.link('../root-sibling', 'sibling');
    site.link('..', 'up');
    site.link('loop.php', 'loop.php');
    expect(chosen(site, '/link.php')).toBe('refuse');
    expect(chosen(site, '/link.php/x')).toBe('refuse');
    expect(chosen(site, '/folder/evil.php')).toBe('refuse');
    expect(chosen(site, '/sibling/evil.php')).toBe('refuse');
    expect(chosen(site, '/up/outside/evil.php')).toBe('refuse');
    expect(chosen(site, '/loop.php')).toBe('pass');
    // and back in again is in
    expect(chosen(site, '/up/root/index.php')).toBe('run /up/root/index.php');
  });

  it('is no reason to ask the front controller where it must not run', () => {
    const site = siteWith('app.php', '../outside/evil.php', '.git/hook.php');
    site.link(join(site.outside, 'evil.php'), 'link.php');
    const options = { frontController: '/app.php' };
    expect(chosen(site, '/link.php', options)).toBe('refuse');
    expect(chosen(site, '/.git/hook.php', options)).toBe('refuse');
    expect(chosen(site, '/.git/none.php', options)).toBe('run /app.php');
  });

  it('is told where it is to be the front controller', () => {
    const site = siteWith('../outside/app.php');
    site.link(join(site.outside, 'app.php'), 'app.php');
    expect(() => chosen(site, '/x', { frontController: '/app.php' })).toThrow(
      `frontController /app.php leads out of root, to ${join(site.outside, 'app.php')}: see allowSymlinksTo`,
    );
    const options = { frontController: '/app.php', allowSymlinksTo: [site.outside] };
    expect(chosen(site, '/x', options)).toBe('run /app.php');
  });

  it('unless allowSymlinksTo names the folder it is in', () => {
    const site = siteWith('../outside/good/x.php', '../outside/good-not/x.php');
    site.link(join(site.outside, 'good'), 'good');
    site.link(join(site.outside, 'good-not'), 'good-not');
    const options = { allowSymlinksTo: [join(site.outside, 'good')] };
    expect(chosen(site, '/good/x.php', options)).toBe('run /good/x.php');
    expect(chosen(site, '/good-not/x.php', options)).toBe('refuse');
  });

  it('whose own path may be a link that a new release moves while we run', () => {
    const site = siteWith(
      '../releases/1/vendor/a.php',
      '../releases/2/vendor/a.php',
      '../releases/2/vendor/b.php',
    );
    const current = join(site.outside, 'current');
    symlinkSync(join(site.root, '../releases/1'), current);
    site.link(join(current, 'vendor'), 'bundle');
    const files = filesOf(readOptions({ root: site.root, allowSymlinksTo: [join(current, 'vendor')] }));
    expect(files.choose('/bundle/a.php').kind).toBe('run');
    symlinkSync(join(site.root, '../releases/2'), `${current}.new`);
    renameSync(`${current}.new`, current);
    expect(files.choose('/bundle/b.php').kind).toBe('run');
  });

  it('and a folder that has gone costs the others nothing', () => {
    const site = siteWith('a.php', '../outside/good/x.php', '../outside/gone/x.php', '../outside/evil.php');
    site.link(join(site.outside, 'good'), 'good');
    site.link(join(site.outside, 'evil.php'), 'link.php');
    const folders = ['gone', 'good'].map((name) => join(site.outside, name));
    const files = filesOf(readOptions({ root: site.root, allowSymlinksTo: folders }));
    rmSync(join(site.outside, 'gone'), { recursive: true });
    expect(['/link.php', '/good/x.php', '/a.php'].map((path) => files.choose(path).kind)).toEqual([
      'refuse',
      'run',
      'run',
    ]);
  });

  it('a fifo or a socket is nothing', () => {
    const site = siteWith('index.php');
    symlinkSync('/dev/null', join(site.root, 'null.php'));
    expect(chosen(site, '/null.php', { allowSymlinksTo: ['/dev'] })).toBe('pass');
  });
});

describe('the root', () => {
  it('may be a link, and be moved to another release while we run', () => {
    const site = siteWith('../release1/a.php', '../release2/a.php', '../release2/b.php');
    const current = join(site.outside, 'current');
    symlinkSync(join(site.root, '../release1'), current);
    const files = filesOf(readOptions({ root: current }));
    expect(files.choose('/a.php').kind).toBe('run');
    expect(files.choose('/b.php').kind).toBe('pass');
    symlinkSync(join(site.root, '../release2'), `${current}.new`);
    renameSync(`${current}.new`, current);
    files.lookAnew();
    expect(files.choose('/a.php').kind).toBe('run');
    expect(files.choose('/b.php').kind).toBe('run');
  });

  it('may be / itself', () => {
    const site = siteWith('index.php');
    expect(filesOf(readOptions({ root: '/' })).choose(`${site.root}/index.php`).kind).toBe('run');
  });
});

describe('a folder', () => {
  it('without its slash is redirected only where it has an index', () => {
    const site = siteWith('sub/index.php', 'empty/x.txt', 'app.php');
    expect(chosen(site, '/sub')).toBe('folder');
    expect(chosen(site, '/empty')).toBe('pass');
    expect(chosen(site, '/empty', { frontController: '/app.php' })).toBe('run /app.php');
  });

  it('with files, a path with a name that begins with a dot is not the front controller’s, but of PATH_INFO', () => {
    const site = siteWith('app.php', '.env');
    const options = { frontController: '/app.php' };
    for (const path of ['/wiki/.NET', '/.env']) {
      expect(chosen(site, path, { ...options, files: true })).toBe('refuse');
      expect(chosen(site, `/app.php${path}`, { ...options, files: true })).toBe(`run /app.php ${path}`);
    }
    expect(chosen(site, '/wiki/.NET', options)).toBe('run /app.php');
  });
});

describe('where the files are elsewhere', () => {
  it('names decide: scripts as they are, folders and all else to the front controller', () => {
    const blind = filesOf(readOptions({ fpmRoot: '/there' }));
    expect(blind.choose('/any/x.php/y')).toEqual({
      kind: 'run',
      script: { scriptName: '/any/x.php', pathInfo: '/y' },
    });
    expect(blind.choose('/status').kind).toBe('pass');
    expect(blind.choose('/.git/x.php').kind).toBe('pass');
    const front = filesOf(readOptions({ fpmRoot: '/there', frontController: '/app.php' }));
    expect(front.choose('/blog/')).toEqual({ kind: 'run', script: { scriptName: '/app.php', pathInfo: '' } });
  });
});

describe('tryFiles', () => {
  const tryFiles = ['$uri', '$uri/', '$uri.php', '/index.php?$query_string'];

  it.each([
    ['a script by its name without ending', '/about', 'run /about.php'],
    ['the same in a folder', '/sub/about', 'run /sub/about.php'],
    ['the file itself before it', '/plain.txt', 'pass'],
    ['a folder before it', '/sub/', 'run /sub/index.php'],
    ['the last for what is not there', '/nowhere', 'run /index.php'],
    ['the last for what hides itself', '/.hidden', 'run /index.php'],
    ['nothing for a path with a slash at its end', '/about/', 'run /index.php'],
  ])('finds %s', (_, path, expected) => {
    const site = siteWith(
      'index.php',
      'about.php',
      'sub/about.php',
      'sub/index.php',
      'plain.txt',
      '.hidden.php',
    );
    expect(chosen(site, path, { tryFiles })).toBe(expected);
  });

  it('does not reach out of the root', () => {
    const site = siteWith('index.php', '../outside/evil.php');
    site.link('../outside/evil.php', 'evil.php');
    expect(chosen(site, '/evil', { tryFiles })).toBe('refuse');
  });
});
