/** What files are by their endings, and that only files wait for the tables. */
import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { MediaTypes } from '../../../../src/gateway/site/static/media-types.ts';

it('tells the type and the charset of an ending, and octets of one that nobody knows', async () => {
  const types = new MediaTypes();
  await types.load();
  const start = (): Uint8Array => Buffer.from('é');
  const unread = (): Uint8Array => {
    throw new Error('what is no text is not looked into');
  };
  expect(types.contentType('.html', start)).toBe('text/html; charset=utf-8');
  expect(types.contentType('.png', unread)).toBe('image/png');
  expect(types.contentType('.nobody-knows-it', unread)).toBe('application/octet-stream');
  expect(types.contentType('', unread)).toBe('application/octet-stream');
});

it.each([
  ['<meta charset="utf-8">', true],
  ["<META CHARSET = 'UTF8' >", true],
  ['<meta http-equiv=Content-Type content="text/html;charset=utf-8">', true],
  ['<p>no word of it', true],
  ['<p>é', true],
  ['<meta charset=windows-1252>', false],
  ['<meta name="x"\n charset=euc-jp>', false],
  ['<meta content="text/html; charset = ISO-8859-15" http-equiv=content-type>', false],
  [`${' '.repeat(1024)}<meta charset=latin1>`, true],
  ['<pre>charset=latin1</pre>', true],
  ['', true],
])('what a page says of its charset is believed: %j is called UTF-8: %s', async (page, isCalled) => {
  const types = new MediaTypes();
  await types.load();
  const type = (ending: string): string => types.contentType(ending, () => Buffer.from(page));
  expect(type('.html')).toBe(isCalled ? 'text/html; charset=utf-8' : 'text/html');
  expect(type('.txt')).toBe('text/plain; charset=utf-8');
});

it.each([
  ['/a.html', true],
  ['/a.js', true],
  ['/a.svg', true],
  ['/a.json', true],
  ['/a.woff', false],
  ['/a.ttf', false],
  ['/a.wasm', true],
  ['/a.eot', true],
  ['/a.png', false],
  ['/a', false],
])('whether a packed copy of %s is looked for: %s', async (name, expected) => {
  const types = new MediaTypes();
  await types.load();
  expect(types.isCompressible(name)).toBe(expected);
});

it('says so where a type is asked for before the tables are there, and has nothing to wait for after', async () => {
  const types = new MediaTypes();
  expect(() => types.contentType('.html', () => Buffer.alloc(0))).toThrow('not loaded yet');
  const loading = types.load();
  expect(types.load()).toBe(loading);
  await loading;
  expect(types.load()).toBeNull();
});

it('an import of the handler loads no tables of media types: only files wait for them', () => {
  const code = `
    import { createRequire } from 'node:module';
    await import('fastcgi-pool/node');
    console.log(Object.keys(createRequire(import.meta.url).cache).join());`;
  const cwd = new URL('../../../..', import.meta.url);
  const args = ['--input-type=module', '-e', code];
  const loaded = execFileSync(process.execPath, args, { cwd, encoding: 'utf8' });
  expect(loaded).toContain('range-parser');
  expect(loaded).not.toContain('mime-db');
});

it('files are sent again once the process has file descriptors again, where it had none left when the first was asked for', () => {
  const code = `
    import { closeSync, openSync } from 'node:fs';
    import { Agent, createServer, get } from 'node:http';
    import { createHandler } from 'fastcgi-pool/node';
    import { MockDispatcher } from 'fastcgi-pool/testing';
    const handler = createHandler(new MockDispatcher(), { root: process.cwd(), files: true, onError: () => {} });
    const server = createServer((req, res) => (req.url === '/' ? res.end() : handler(req, res)));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const status = (path) => new Promise((resolve, reject) => {
      const { port } = server.address();
      get({ agent, host: '127.0.0.1', port, path }, (res) => res.resume().once('end', () => resolve(res.statusCode))).once('error', reject);
    });
    const seen = [await status('/')];
    const taken = [];
    try { for (;;) taken.push(openSync('/dev/null')); } catch {}
    seen.push(await status('/docs/balance.svg'));
    taken.forEach((fd) => closeSync(fd));
    seen.push(await status('/docs/balance.svg'));
    console.log(seen.join());
    process.exit();`;
  const cwd = new URL('../../../..', import.meta.url);
  // Node raises the limit of its own accord as far as it may
  const args = ['-c', 'ulimit -n 64; exec "$0" --input-type=module -e "$1"', process.execPath, code];
  expect(execFileSync('sh', args, { cwd, encoding: 'utf8' })).toBe('200,500,200\n');
});
