/** PHP-FPM answers its status and ping pages by SCRIPT_NAME alone: no URL may produce one. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHandler, type NodeRequest } from '../../src/gateway/node.ts';
import type { GatewayOptions } from '../../src/gateway/options.ts';
import { Pool } from '../../src/pool/pool.ts';
import { type Fpm, startFpm } from '../fpm/support/index.ts';
import { type RawServer, rawServer } from './raw.ts';

let fpm: Fpm;
let pool: Pool;

beforeAll(async () => {
  fpm = await startFpm({
    statusPath: '/status.php',
    files: { 'index.php': '<?php echo "the site";', 'a.php': '<?php echo "a script";' },
  });
  pool = new Pool(fpm.address);
});

afterAll(async () => {
  await pool?.destroy();
  await fpm?.stop();
});

const urls = ['/status.php', '/ping'].flatMap((page) => [
  page,
  `/${page}`,
  `${page}?full`,
  `${page}?json&full`,
  `${page}/`,
  `/a.php${page}`,
  `/index.php/..${page}`,
  `/a.php/..%2f..${page}`,
  `/.${page}`,
  `/%2e${page}`,
  `${page}/x.php`,
  `${page}.php`,
  `${page}%00.php`,
  `http://h${page}`,
  `/none.php${page}`,
]);

async function get(server: RawServer, url: string): Promise<string> {
  return (await server.exchange(`GET ${url} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`)).text;
}

it('the pages are there for who speaks FastCGI, or this test would say nothing', async () => {
  for (const [page, said] of [
    ['/status.php', 'accepted conn'],
    ['/ping', 'pong'],
  ] as const) {
    const params = { SCRIPT_NAME: page, SCRIPT_FILENAME: `${fpm.root}/a.php`, REQUEST_METHOD: 'GET' };
    expect(await (await pool.request({ params })).body.text()).toContain(said);
  }
});

describe.each<[string, () => GatewayOptions<NodeRequest>]>([
  ['with a root', () => ({ root: fpm.root })],
  ['with a front controller', () => ({ root: fpm.root, frontController: '/index.php' })],
  ['without a root', () => ({ fpmRoot: fpm.root, fpmPages: ['/status.php', '/ping'] })],
  [
    'without a root, with a front controller',
    () => ({ fpmRoot: fpm.root, frontController: '/index.php', fpmPages: ['/status.php', '/ping'] }),
  ],
])('%s', (_, options) => {
  it('no URL shows them', async () => {
    const server = await rawServer(createHandler(pool, options()));
    try {
      for (const url of urls)
        expect([url, await get(server, url)]).toEqual([url, expect.not.stringMatching(/accepted conn|pong/)]);
      expect(await get(server, '/a.php')).toContain('a script');
    } finally {
      await server.close();
    }
  });
});

it('a file of that name is not run, as PHP-FPM would answer in its place', async () => {
  fpm.script('status.php', 'echo "a script";');
  const server = await rawServer(createHandler(pool, { root: fpm.root, fpmPages: ['/status.php'] }));
  try {
    expect(await get(server, '/status.php')).toMatch(/^HTTP\/1\.1 404 /);
  } finally {
    await server.close();
  }
});
