/** `serve --dev`: the application's own Vite on the same port. */
import { once } from 'node:events';
import { cpSync, existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isForVite } from '../../../src/cli/serve/vite.ts';
import { waitFor, within } from '../../fpm/support/wait.ts';
import { bin, firstUrl, type Program, start } from '../support/program.ts';
import { serveInVain } from '../support/serving.ts';
import { SiteFolder, text } from '../support/site.ts';

const example = fileURLToPath(new URL('../../../examples/vite-site/', import.meta.url));

describe('the example', () => {
  let program: Program;
  let url: string;
  beforeAll(async () => {
    expect(existsSync(join(example, 'vite.config.js'))).toBe(true);
    const args = ['public', '--dev', '--front-controller', '/index.php', '--listen', '127.0.0.1:0'];
    program = start([bin, 'serve', ...args], { cwd: example, env: process.env });
    url = await firstUrl(program);
  }, 60_000);
  afterAll(async () => {
    expect(await program.stop()).toBe(0);
  });

  it('has pages of PHP, and modules of Vite', async () => {
    expect(await text(url)).toMatch(/<h1>PHP 8\.\d+\.\d+ at \/<\/h1>/);
    expect(await text(`${url}/@vite/client`)).toContain('import');
    const main = await text(`${url}/src/main.js`);
    expect(main).toContain('/src/greeting.ts');
    // TypeScript is JavaScript by now
    const greeting = await fetch(`${url}/src/greeting.ts`);
    expect(greeting.headers.get('content-type')).toMatch(/javascript/);
    expect(await greeting.text()).not.toContain('name: string');
    // what neither has is the front controller's
    expect(await text(`${url}/news/1`)).toContain('at /news/1</h1>');
  });

  it.each([
    ['GET', ''],
    ['POST', 'a form'],
  ])('answers %s of a client that offers HTTP/2 beside it, as those of Java do', async (method, body) => {
    const asked = request(`${url}/news/1`, {
      method,
      headers: {
        connection: 'Upgrade, HTTP2-Settings',
        upgrade: 'h2c',
        'http2-settings': 'AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
        ...(body === '' ? {} : { 'content-length': body.length }),
      },
    }).end(body);
    const [response] = await within(once(asked, 'response'), 20_000, 'an answer');
    expect(await textOf(response)).toContain('at /news/1</h1>');
  });

  it.each([
    ['a WebSocket that is not Vite’s', {}],
    ['a WebSocket of Vite’s that asks at a wrong path', { 'sec-websocket-protocol': 'vite-hmr' }],
  ])('answers %s as without Vite: by the site', async (_what, headers) => {
    const asked = request(`${url}/news/socket`, {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...headers,
      },
    }).end();
    const [response] = await within(once(asked, 'response'), 20_000, 'an answer');
    expect([response.statusCode, await textOf(response)]).toEqual([
      200,
      expect.stringContaining('at /news/socket</h1>'),
    ]);
  });

  it('tells the browser of changes by a WebSocket on the same port', async () => {
    const client = await text(`${url}/@vite/client`);
    const [, token = ''] = /wsToken = "([^"]*)"/.exec(client) ?? [];
    const asked = request(`${url}/?token=${token}`, {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'sec-websocket-protocol': 'vite-hmr',
      },
    }).end();
    const [response, socket, head] = (await once(asked, 'upgrade')) as [IncomingMessage, Socket, Buffer];
    expect(response.statusCode).toBe(101);
    let said = head.toString();
    socket.on('data', (chunk: Buffer) => {
      said += chunk;
    });
    await waitFor(() => said.includes('{"type":"connected"}'), { timeout: 20_000 });
    // the connection stays, and does not hold up the end
    socket.on('error', () => {});
  });
});

it('what Vite has failed on is an error, and no page of the front controller', async () => {
  const site = new SiteFolder();
  symlinkSync(
    fileURLToPath(new URL('../../../node_modules', import.meta.url)),
    join(site.path, 'node_modules'),
  );
  site.put('vite.config.mjs', 'export default {};');
  site.put('public/index.php', '<?php echo "page";');
  site.put('src/broken.ts', 'const a: = {');
  site.put('src/good.ts', 'export const a: number = 1;');
  const args = ['public', '--dev', '--front-controller', '/index.php', '--listen', '127.0.0.1:0'];
  await using program = start([bin, 'serve', ...args], { cwd: site.path, env: process.env });
  try {
    const url = await firstUrl(program);
    const broken = await fetch(`${url}/src/broken.ts`);
    expect([broken.status, await broken.text()]).toEqual([500, expect.not.stringContaining('page')]);
    // Vite tells what is wrong
    expect(program.err).toContain('broken.ts');
    expect((await fetch(`${url}/src/good.ts`)).status).toBe(200);
    expect(await text(`${url}/src/none.ts`)).toBe('page');
    expect(await program.stop()).toBe(0);
  } finally {
    site.remove();
  }
});

it.each([
  ['/src/main.ts', true],
  ['/src/App.vue?vue&type=style', true],
  ['/@vite/client', true],
  ['/@id/__x00__virtual', true],
  ['/node_modules/.vite/deps/vue.js?v=1', true],
  ['/assets/logo.svg', true],
  ['/config/database.php', false],
  ['/config/database.php?raw', false],
  ['/config/%64atabase.%70hp?import&raw', false],
  ['/@fs/srv/app/config/database.php?raw', false],
  ['/@fs/srv/app/.env', false],
  ['/.env', false],
  ['/composer.json', false],
  ['/storage/logs/app.log', false],
  ['/node_modules/../.env', false],
  ['/node_modules/%2e%2e/.env', false],
  ['/%zz', false],
])('%s is asked of Vite: %s', (url, asked) => {
  expect(isForVite(url)).toBe(asked);
});

it('a URL that is too long for the path of a file is judged in no time, and none of Vite', () => {
  const begin = performance.now();
  expect(isForVite(`/x${'.1'.repeat(60_000)}!`)).toBe(false);
  expect(performance.now() - begin).toBeLessThan(1000);
});

describe('without a Vite', () => {
  let site: SiteFolder;
  beforeEach(() => {
    site = new SiteFolder();
    return () => site.remove();
  });

  it('the status is 2, and it is said what is missing', async () => {
    expect(await serveInVain(site.path, ['--dev'])).toMatchObject({
      status: 2,
      err: expect.stringMatching(/--dev: neither DOCROOT nor a folder above it has a vite\.config\.js/),
    });
    expect((await serveInVain(site.path, ['--dev', '--workers', '2'])).err).toMatch(
      /does not go with --workers/,
    );
    cpSync(join(example, 'vite.config.js'), join(site.path, 'vite.config.js'));
    writeFileSync(join(dirname(site.path), 'x'), '');
    expect(await serveInVain(site.path, ['--dev'])).toMatchObject({
      status: 2,
      err: expect.stringMatching(/--dev: there is no Vite for .* \(npm install -D vite\)/),
    });
  });
});
