/** The same site by `serve` and by nginx, whose `try_files $uri $uri/ ...` decides what is right. */
import { mkdirSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fpm, startFpm } from '../../fpm/support/fpm.ts';
import type { RunningServer } from '../../fpm/support/http-server.ts';
import { startNginx } from '../../fpm/support/nginx.ts';
import { type Serving, serve } from '../support/serving.ts';

// Hidden files and PHP source of other names are left out: nginx, told no more than this, sends them.
const paths = [
  '/',
  '/a.css',
  '/a.css?v=1',
  '/a%20b.js',
  '/caf%C3%A9.svg',
  '//a.css',
  '/sub/../a.css',
  '/./a.css',
  '/sub/%2e%2e/a.css',
  '/a.css/',
  '/a.css/x',
  '/A.CSS',
  '/a.css%20',
  '/sub',
  '/sub?x=1',
  '/sub/',
  '/sub//',
  '/sub/./',
  '/caf%C3%A9',
  '/empty',
  '/empty/',
  '/nothing',
  '/nothing/',
  '/nothing/at/all?x',
  '/a%2Fb',
  '/%C3%BC',
  '/%FF',
  '/index.php',
  '/index.php?x',
  '/index.php/',
  '/x.php',
  '/x.php/info/more?q=1',
  '/x.php//info',
  '/x.php/a%2Fb',
  '/x%2ephp',
  '/sub/index.php/p',
  '/sub/../x.php',
  '/noext',
  '/%00',
  '/a.css%00.php',
  '/%zz',
  '/../a.css',
  '/%2e%2e/a.css',
  '/sub/../../x',
];
// For DELETE and the like nginx refuses folders outright (405); an application may well want them.
const methods = ['GET', 'HEAD', 'POST'];

const script = `<?php
  header('Content-Type: text/plain');
  echo json_encode(array_map(fn ($name) => $_SERVER[$name] ?? '', ['SCRIPT_NAME', 'REQUEST_URI', 'PATH_INFO', 'SCRIPT_FILENAME']));`;

let fpm: Fpm;
beforeAll(async () => {
  fpm = await startFpm({
    maxChildren: 8,
    files: { 'index.php': script, 'x.php': script, 'sub/index.php': script, 'caf\u00e9/index.php': script },
  });
  for (const name of ['a.css', 'a b.js', 'caf\u00e9.svg', 'noext']) fpm.script(name, `<${name}>`);
  mkdirSync(join(fpm.root, 'empty'));
});
afterAll(() => fpm?.stop());

interface Seen {
  readonly status: number | undefined;
  /** The path it leads to: nginx says where it is as well. */
  readonly location: string | undefined;
  readonly type: string | undefined;
  readonly body: string;
}

function ask(base: string, method: string, path: string): Promise<Seen> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const sent = get({ hostname, port, method, path, agent: false }, async (response) => {
      let body = '';
      for await (const chunk of response) body += chunk;
      const status = response.statusCode;
      const isError = status !== undefined && status >= 300;
      resolve({
        status,
        location: response.headers.location?.replace(base, ''),
        // pages of their own words
        type: isError ? '' : response.headers['content-type']?.replace(/; ?charset=utf-8$/i, ''),
        body: isError ? '' : body,
      });
    });
    sent.on('error', reject);
  });
}

describe.each([
  { name: 'without a front controller', args: [], frontController: undefined },
  { name: 'with one', args: ['--front-controller', '/index.php'], frontController: '/index.php' },
])('$name', ({ args, frontController }) => {
  let nginx: RunningServer;
  let served: Serving;
  beforeAll(async () => {
    // A kept connection would hold a worker that the other one waits for.
    nginx = await startNginx({
      fpm,
      keepalive: 0,
      ...(frontController === undefined ? {} : { frontController }),
    });
    served = await serve(fpm.root, ['--quiet', '--upstream', fpm.address, '--connections', '4', ...args]);
  });
  afterAll(async () => {
    await served?.stop();
    await nginx?.stop();
  });

  it.each(paths)('%s', async (path) => {
    for (const method of methods) {
      const [ours, theirs] = await Promise.all([ask(served.url, method, path), ask(nginx.url, method, path)]);
      expect(ours, method).toEqual(theirs);
    }
  });

  it('a script that does not exist is for the front controller, not for the 404 of PHP-FPM', async () => {
    const theirs = await ask(nginx.url, 'GET', '/missing.php');
    const ours = await ask(served.url, 'GET', '/missing.php');
    expect([theirs.status, ours.status]).toEqual([404, frontController === undefined ? 404 : 200]);
  });
});
