import { chmodSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openDocroot } from '../../../src/cli/serve/docroot.ts';
import { type Route, routeOf } from '../../../src/cli/serve/route.ts';
import { UsageError } from '../../../src/cli/usage-error.ts';
import { tempDir } from '../../fpm/support/temp.ts';

const temp = tempDir();
afterAll(() => temp.remove());
const root = join(temp.path, 'root');
const outside = join(temp.path, 'outside');
const linked = join(temp.path, 'linked');

for (const folder of [
  'root/sub',
  'root/empty',
  'root/html',
  'root/.git',
  'root/.well-known',
  'root/x.php',
  'root/caf\u00e9',
]) {
  mkdirSync(join(temp.path, folder), { recursive: true });
}
for (const folder of [outside, linked]) mkdirSync(folder);
const files = [
  'index.php',
  'a.css',
  'a b.txt',
  'sub/index.php',
  'html/index.html',
  '.env',
  '.git/config',
  '.well-known/a',
  'x.PHP',
  'x.phtml',
  'x.php.bak',
  'x.php/a.txt',
  'caf\u00e9/a.txt',
];
for (const file of files) writeFileSync(join(root, file), file);
for (const folder of [outside, linked]) writeFileSync(join(folder, 'a.txt'), 'a');
writeFileSync(join(linked, 'secret.php'), '<?php');
symlinkSync('a.css', join(root, 'inside.css'));
symlinkSync('index.php', join(root, 'source.txt'));
symlinkSync('.env', join(root, 'env.txt'));
symlinkSync(join(outside, 'a.txt'), join(root, 'out.txt'));
symlinkSync(outside, join(root, 'out'));
symlinkSync(linked, join(root, 'linked'));
symlinkSync('nowhere', join(root, 'broken'));
symlinkSync('loop', join(root, 'loop'));

const php: Route = { to: 'php' };
const status = (code: 400 | 403 | 404): Route => ({ to: 'status', status: code });
const file = (path: string, name = `/${path}`): Route => ({ to: 'file', path: join(root, path), name });

async function route(url: string, hasFrontController = false): Promise<Route> {
  return routeOf(url, {
    docroot: await openDocroot(temp.path, 'root', [linked]),
    index: 'index.php',
    hasFrontController,
  });
}

/** URL, without a front controller, with one. */
type Row = readonly [url: string, without: Route, withOne: Route];

const rows: readonly Row[] = [
  // $uri
  ['/a.css', file('a.css'), file('a.css')],
  ['/a.css?v=1', file('a.css'), file('a.css')],
  ['/a%20b.txt', file('a b.txt'), file('a b.txt')],
  [
    '/caf%C3%A9/a.txt',
    file('caf\u00e9/a.txt', '/caf\u00c3\u00a9/a.txt'),
    file('caf\u00e9/a.txt', '/caf\u00c3\u00a9/a.txt'),
  ],
  ['//sub/..//a.css', file('a.css'), file('a.css')],
  ['/inside.css', file('a.css', '/inside.css'), file('a.css', '/inside.css')],
  ['/.well-known/a', file('.well-known/a'), file('.well-known/a')],
  ['http://elsewhere/a.css', file('a.css'), file('a.css')],
  // $uri/
  ['/', php, php],
  ['/sub/', php, php],
  ['/html/', file('html/index.html'), file('html/index.html')],
  ['/empty/', status(403), status(403)],
  ['/sub', { to: 'redirect', location: '/sub/' }, { to: 'redirect', location: '/sub/' }],
  ['/sub?a=b', { to: 'redirect', location: '/sub/?a=b' }, { to: 'redirect', location: '/sub/?a=b' }],
  ['//sub', { to: 'redirect', location: '/sub/' }, { to: 'redirect', location: '/sub/' }],
  ['/caf%c3%a9', { to: 'redirect', location: '/caf%C3%A9/' }, { to: 'redirect', location: '/caf%C3%A9/' }],
  // neither
  ['/nothing', status(404), php],
  ['/nothing/at/all', status(404), php],
  ['/a.css/', status(404), php],
  ['/a.css/b', status(404), php],
  ['/caf%E9/a.txt', status(404), php],
  ['/broken', status(404), php],
  ['/loop', status(404), php],
  // scripts and their PATH_INFO
  ['/index.php/.well-known/webfinger', php, php],
  ['/index.php/.git/config', status(404), status(404)],
  ['/index.php', php, php],
  ['/index.php/a/b', php, php],
  ['/missing.php', php, php],
  ['/x.php/a.txt', php, php],
  // PHP source
  ['/x.PHP', status(404), php],
  ['/x.phtml', status(404), php],
  ['/x.php.bak', status(404), php],
  ['/x%2Ephtml', status(404), php],
  ['/source.txt', status(404), php],
  // hidden
  ['/.env', status(404), status(404)],
  ['/.git/config', status(404), status(404)],
  ['/.git/x.php', status(404), status(404)],
  ['/%2eenv', status(404), status(404)],
  ['/env.txt', status(404), php],
  // out of the root
  ['/out.txt', status(404), php],
  ['/out', status(404), php],
  ['/out/', status(404), php],
  ['/out/a.txt', status(404), php],
  [
    '/linked/a.txt',
    { to: 'file', path: join(linked, 'a.txt'), name: '/linked/a.txt' },
    { to: 'file', path: join(linked, 'a.txt'), name: '/linked/a.txt' },
  ],
  ['/../outside/a.txt', status(400), status(400)],
  ['/sub/../../outside/a.txt', status(400), status(400)],
  ['/..%2foutside/a.txt', status(400), status(400)],
  // nonsense
  ['/%00', status(400), status(400)],
  ['/a.css%00.php', status(400), status(400)],
  ['/%zz', status(400), status(400)],
  ['*', status(400), status(400)],
];

describe('what answers a URL', () => {
  it.each(rows)('%s', async (url, without, withOne) => {
    expect(await route(url)).toEqual(without);
    expect(await route(url, true)).toEqual(withOne);
  });

  it('a file that may not be read is 403, except for root, who may read any', async () => {
    const folder = join(root, 'locked');
    mkdirSync(folder);
    writeFileSync(join(folder, 'a.txt'), 'a');
    chmodSync(folder, 0);
    // root may read anything
    const expected = process.getuid?.() === 0 ? file('locked/a.txt') : status(403);
    expect(await route('/locked/a.txt')).toEqual(expected);
    chmodSync(folder, 0o700);
  });

  it('a root without a home page is for the front controller', async () => {
    const docroot = await openDocroot(temp.path, 'root', []);
    const site = { docroot, index: 'none.php', hasFrontController: true };
    expect(await routeOf('/', site)).toEqual(php);
    expect(await routeOf('/', { ...site, hasFrontController: false })).toEqual(status(403));
  });

  it('follows a root that is a link and moves', async () => {
    const releases = join(temp.path, 'releases');
    for (const name of ['1', '2']) {
      mkdirSync(join(releases, name), { recursive: true });
      writeFileSync(join(releases, name, `only-${name}.txt`), name);
    }
    symlinkSync('1', join(releases, 'current'));
    const docroot = await openDocroot(temp.path, 'releases/current', []);
    const site = { docroot, index: 'index.php', hasFrontController: false };
    expect(await routeOf('/only-1.txt', site)).toMatchObject({ to: 'file' });
    symlinkSync('2', join(releases, 'next'));
    renameSync(join(releases, 'next'), join(releases, 'current'));
    expect(await routeOf('/only-1.txt', site)).toEqual(status(404));
    expect(await routeOf('/only-2.txt', site)).toMatchObject({ to: 'file' });
  });
});

describe('a folder that cannot be served', () => {
  it.each([
    ['missing', /DOCROOT 'missing' does not exist/],
    ['root/a.css', /DOCROOT 'root\/a.css' is not a folder/],
    ['root/loop', /DOCROOT 'root\/loop' cannot be opened: ELOOP/],
  ])('%s', async (folder, why) => {
    await expect(openDocroot(temp.path, folder, [])).rejects.toThrow(UsageError);
    await expect(openDocroot(temp.path, folder, [])).rejects.toThrow(why);
  });

  it('--allow-symlinks-to a folder that is not there', async () => {
    await expect(openDocroot(temp.path, 'root', ['nope'])).rejects.toThrow(
      new UsageError("--allow-symlinks-to 'nope' does not exist"),
    );
  });
});
