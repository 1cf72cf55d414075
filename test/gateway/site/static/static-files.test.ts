/** Files of the site, through every adapter. */
import {
  mkdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Adapter, type Ask, adapters, type Client } from '../../adapters.ts';
import { answer, FakeDispatcher } from '../../fake-dispatcher.ts';
import { tempSite } from '../../temp-site.ts';

const digits = '0123456789'.repeat(10);
const large = Buffer.alloc(300_000, 'large file ');
const site = tempSite({
  'index.php': '<?php',
  'a.txt': digits,
  'empty.css': '',
  'a%b &.json': '{}',
  '3f2a': '<svg/>',
  'large.bin': '',
  'app.js': 'plain',
  'app.js.br': 'br',
  'app.js.gz': 'gz',
  'leak.js': 'harmless',
  'stale.js': 'new',
  'stale.js.br': 'old',
  'docs/index.html': '<p>docs',
  'none/x.txt': 'x',
  'old.php.txt': '<?php TOPSECRET',
  '.env': 'TOPSECRET',
  '../outside/secret.txt': 'TOPSECRET',
  '../outside/evil.php': 'TOPSECRET',
});
writeFileSync(join(site.root, 'large.bin'), large);
const latin1 = {
  'latin1.html': '<html><meta charset=iso-8859-1>caf\xe9',
  'latin1.css': '/* caf\xe9 */',
  'latin1.txt': `${' '.repeat(1000)}\xe9${' '.repeat(100_000)}`,
  'latin1.js': '"caf\xe9"',
  'latin1.js.gz': '\x1f\x8bpacked',
};
for (const [name, text] of Object.entries(latin1)) writeFileSync(join(site.root, name), text, 'latin1');
const ascii = '<meta http-equiv="Content-Type" content="text/html; charset=Shift_JIS"><form>';
const utf8 = {
  'form.html': ascii,
  'utf8.html': '<meta charset="UTF-8">é',
  'utf8.txt': `a${'é'.repeat(50_000)}`,
};
for (const [name, text] of Object.entries(utf8)) writeFileSync(join(site.root, name), text);
site.link('3f2a', 'logo.svg');
site.link('.env', 'env.txt');
site.link('.env', 'leak.js.gz');
site.link('../outside/secret.txt', 'out.txt');
const past = new Date('2024-02-29T12:34:56.789Z');
for (const name of ['a.txt', 'app.js', 'leak.js', 'stale.js.br', '3f2a', 'large.bin']) {
  utimesSync(join(site.root, name), past, past);
}
afterAll(() => site.remove());

describe.each(adapters)('a file through $name', (adapter) => {
  let client: Client;
  const php = new FakeDispatcher();

  beforeAll(async () => {
    client = await adapter.serve(php, {
      root: site.root,
      files: { cacheControl: 'max-age=60', immutable: /\.svg$/ },
    });
  });
  afterAll(() => client?.close());

  async function ask(
    given: string | Ask,
  ): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
    const { status, headers, body } = await client.open(typeof given === 'string' ? { path: given } : given);
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(Buffer.from(chunk));
    return { status, headers, body: Buffer.concat(chunks).toString('latin1') };
  }

  it('comes with its type, its length, its date and a validator, again and again', async () => {
    for (let count = 0; count < 3; count++) {
      const { status, headers, body } = await ask('/a.txt');
      expect([status, body]).toEqual([200, digits]);
      expect(headers).toMatchObject({
        'content-type': 'text/plain; charset=utf-8',
        'content-length': '100',
        'last-modified': 'Thu, 29 Feb 2024 12:34:56 GMT',
        'cache-control': 'max-age=60',
        'accept-ranges': 'bytes',
      });
      expect(headers['etag']).toMatch(/^(?:W\/)?"[^"]+"$/);
    }
    expect(php.exchanges).toEqual([]);
  });

  it('is not sent again to whoever has it', async () => {
    const { headers } = await ask('/a.txt');
    for (const condition of [
      { 'if-none-match': String(headers['etag']) },
      { 'if-modified-since': String(headers['last-modified']) },
    ]) {
      const again = await ask({ path: '/a.txt', headers: condition });
      expect([again.status, again.body]).toEqual([304, '']);
      expect(again.headers).toMatchObject({ etag: headers['etag'], 'cache-control': 'max-age=60' });
      expect(again.headers).not.toHaveProperty('content-type');
    }
    const other = await ask({ path: '/a.txt', headers: { 'if-none-match': '"other"' } });
    expect([other.status, other.body]).toEqual([200, digits]);
  });

  it.each([
    ['/a.txt', 'bytes=5-9', 206, 'bytes 5-9/100', '56789'],
    ['/a.txt', 'bytes=-1000', 206, 'bytes 0-99/100', digits],
    ['/a.txt', 'bytes=100-', 416, 'bytes */100', '416 Range Not Satisfiable\n'],
    ['/a.txt', 'bytes=0-1,5-6', 200, undefined, digits],
    [
      '/large.bin',
      'bytes=200000-200004',
      206,
      'bytes 200000-200004/300000',
      large.toString('latin1', 200_000, 200_005),
    ],
  ])('%s can be asked for by %s', async (path, range, status, contentRange, body) => {
    const part = await ask({ path, headers: { range } });
    expect([part.status, part.headers['content-range'], part.body]).toEqual([status, contentRange, body]);
  });

  it('may be large, empty, strangely named, or a link', async () => {
    const whole = await ask('/large.bin');
    expect([whole.status, whole.body === large.toString('latin1')]).toEqual([200, true]);
    const empty = await ask('/empty.css');
    expect([empty.status, empty.headers['content-length'], empty.body]).toEqual([200, '0', '']);
    expect((await ask('/a%25b%20&.json')).body).toBe('{}');
    const logo = await ask('/logo.svg');
    expect([logo.headers['content-type'], logo.body]).toEqual(['image/svg+xml', '<svg/>']);
    expect(logo.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  });

  it.each([
    ['gzip, br', 'br', 'br'],
    ['gzip', 'gzip', 'gz'],
    ['br;q=0, gzip;q=0.5', 'gzip', 'gz'],
    ['deflate', undefined, 'plain'],
  ])('is sent packed to whoever takes %s: %s', async (accepted, coding, body) => {
    const got = await ask({ path: '/app.js', headers: { 'accept-encoding': accepted } });
    expect([got.headers['content-encoding'], got.body]).toEqual([coding, body]);
    expect(got.headers).toMatchObject({
      vary: 'Accept-Encoding',
      'content-type': 'text/javascript; charset=utf-8',
    });
  });

  it.each([
    ['/latin1.html', 'text/html'],
    ['/latin1.css', 'text/css'],
    ['/latin1.txt', 'text/plain'],
    ['/latin1.js', 'text/javascript'],
    ['/form.html', 'text/html'],
    ['/utf8.html', 'text/html; charset=utf-8'],
    ['/utf8.txt', 'text/plain; charset=utf-8'],
  ])('is said to be UTF-8 only where it is, and says no other charset itself: %s', async (path, type) => {
    for (const headers of [{}, { 'accept-encoding': 'gzip' }]) {
      expect((await ask({ path, headers })).headers['content-type']).toBe(type);
    }
  });

  it('is not sent packed where the packed one is older', async () => {
    const got = await ask({ path: '/stale.js', headers: { 'accept-encoding': 'br' } });
    expect([got.headers['content-encoding'], got.body]).toEqual([undefined, 'new']);
  });

  it('is not sent packed where the packed one is a link to what is never sent', async () => {
    const got = await ask({ path: '/leak.js', headers: { 'accept-encoding': 'gzip' } });
    expect([got.headers['content-encoding'], got.body]).toEqual([undefined, 'harmless']);
  });

  it('HEAD has the head alone, other methods are 405', async () => {
    const head = await ask({ path: '/a.txt', method: 'HEAD' });
    expect([head.status, head.headers['content-length'], head.body]).toEqual([200, '100', '']);
    const post = await ask({ path: '/a.txt', method: 'POST', body: Buffer.from('x') });
    expect([post.status, post.headers['allow']]).toEqual([405, 'GET, HEAD']);
  });

  it('a folder gets its slash and its index; one without an index is left to the next handler, or 403', async () => {
    const folder = await ask('/docs');
    expect([folder.status, folder.headers['location']]).toEqual([301, '/docs/']);
    expect((await ask('/docs/')).body).toBe('<p>docs');
    // whoever is behind the handler may have a page there, also one without a slash
    const isLast = ['node:http', 'node:https', 'node:http2', 'fetch', 'h3', 'srvx'].includes(adapter.name);
    expect((await ask('/none/')).status).toBe(isLast ? 403 : 404);
    expect((await ask('/none')).status).toBe(isLast ? 301 : 404);
  });

  it.each(['/old.php.txt', '/.env', '/env.txt', '/out.txt', '/nothing.txt'])('%s is 404', async (path) => {
    const got = await ask(path);
    expect([got.status, got.body]).toEqual([404, '404 Not Found\n']);
  });

  it('is the new one at once where it was changed or replaced', async () => {
    const path = join(site.root, 'changing.txt');
    for (const content of ['first', 'other', 'longer one']) {
      writeFileSync(path, content);
      expect((await ask('/changing.txt')).body).toBe(content);
      writeFileSync(`${path}.new`, `${content}!`);
      renameSync(`${path}.new`, path);
      expect((await ask('/changing.txt')).body).toBe(`${content}!`);
    }
  });

  it('is judged by what its name leads to now, however often it was sent before', async () => {
    const path = join(site.root, 'judged.txt');
    const status = async (method = 'GET'): Promise<number> =>
      (await ask({ path: '/judged.txt', method })).status;
    for (let count = 0; count < 2; count++) {
      writeFileSync(path, 'good');
      expect([await status(), await status(), await status('HEAD')]).toEqual([200, 200, 200]);
      expect(await status('DELETE')).toBe(405);
      rmSync(path);
      expect(await status()).toBe(404);
      symlinkSync('.env', path);
      expect(await status()).toBe(404);
      rmSync(path);
      symlinkSync('a.txt', path);
      expect((await ask('/judged.txt')).body).toBe(digits);
      rmSync(path);
      mkdirSync(path);
      expect((await ask('/judged.txt')).body).not.toBe(digits);
      rmdirSync(path);
    }
  });

  it('is not sent, and a script not run, where a link was swapped for one that leads out', async () => {
    for (const [name, good, evil] of [
      ['swap.txt', 'a.txt', '../outside/secret.txt'],
      ['swap.php', 'index.php', '../outside/evil.php'],
    ] as const) {
      const link = join(site.root, name);
      const put = (target: string): void => {
        symlinkSync(target, `${link}.new`);
        renameSync(`${link}.new`, link);
      };
      const before = php.exchanges.length;
      for (let count = 0; count < 3; count++) {
        put(good);
        expect((await ask(`/${name}`)).status).toBe(200);
        put(evil);
        expect((await ask(`/${name}`)).status).toBe(404);
      }
      expect(php.exchanges.length - before).toBe(name === 'swap.php' ? 3 : 0);
    }
  });
});

describe('a file that becomes shorter while it is sent is not taken for a whole one, and onError is told', () => {
  async function cutShort(
    adapter: Adapter | undefined,
    path: string,
    php: FakeDispatcher,
  ): Promise<unknown[]> {
    const file = join(site.root, 'shrinking.bin');
    writeFileSync(file, Buffer.alloc(40_000_000, 'x'));
    const told: unknown[] = [];
    const client = await adapter?.serve(php, {
      root: site.root,
      files: true,
      xSendfile: [site.root],
      onError: (error, _request, statusCode) => {
        told.push([error instanceof Error ? error.message : error, statusCode]);
      },
    });
    const got = await client?.open({ path, headers: { Range: 'bytes=0-39000000' } });
    truncateSync(file, 1_000_000);
    await expect(
      (async () => {
        for await (const _ of got?.body ?? []);
      })(),
    ).rejects.toThrow();
    await client?.close();
    return told;
  }
  const why = [[expect.stringMatching(/\/shrinking\.bin was cut short while it was sent: .*shorter$/), 206]];

  it.each(adapters)('$name', async (adapter) => {
    expect(await cutShort(adapter, '/shrinking.bin', new FakeDispatcher())).toEqual(why);
  });

  it('where PHP has handed it over', async () => {
    const php = new FakeDispatcher(answer(200, ['X-Sendfile', join(site.root, 'shrinking.bin')]));
    expect(await cutShort(adapters[0], '/index.php', php)).toEqual(why);
  });
});
