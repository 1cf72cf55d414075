/** A site that has been asked before answers as one that was made a moment ago. */
import { once } from 'node:events';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { createHandler } from '../../../src/gateway/node.ts';
import type { GatewayOptions } from '../../../src/gateway/options.ts';
import { readOptions } from '../../../src/gateway/settings.ts';
import { type Plan, type RequestLine, Site } from '../../../src/gateway/site/site.ts';
import { garbageCollector } from '../../fpm/support/gc.ts';
import { FakeDispatcher } from '../fake-dispatcher.ts';
import { tempSite } from '../temp-site.ts';

const temp = tempSite({
  'index.php': '<?php',
  'a.php': '<?php',
  'dir.php/index.php': '<?php',
  'b.txt': 'text',
});
temp.link('../outside', 'out.php');
afterAll(() => temp.remove());

const paths = [
  '/',
  '/a.php',
  '/a.php/info',
  '/b.txt',
  '/dir.php/',
  '/dir.php/index.php',
  '/dir.php',
  '/pretty/url',
  '/out.php',
  '/changing.php',
  '/changing',
  '//a.php',
  '/%61.php',
  '/sub/a.php',
  '/sub',
  '/sub/',
  'http://other.example/a.php',
];
const tails = ['', '?', '?x=1', '?x=%41&y', '?a?b', '#f', '?x#f', '?x\u0001', '?\xe9', '?\u0100'];

const line: fc.Arbitrary<RequestLine> = fc
  .tuple(
    fc.constantFrom(...paths),
    fc.constantFrom(...tails),
    fc.constantFrom('GET', 'POST', 'HEAD', 'TRACE'),
    fc.constantFrom('as sent', 'as sent', 'mounted', 'rewritten', 'bare base'),
  )
  .map(([path, tail, method, how]) => {
    const url = path + tail;
    if (how === 'mounted') return { method, url, originalUrl: `/sub${url}`, baseUrl: '/sub' };
    if (how === 'rewritten') return { method, url, originalUrl: '/old?q=1' };
    return how === 'bare base'
      ? { method, url, originalUrl: url, baseUrl: '' }
      : { method, url, originalUrl: url };
  });

/** What is done to the files before a request. */
const change = fc.constantFrom(
  'nothing',
  'nothing',
  'nothing',
  'script',
  'folder',
  'away',
  'longer text',
  'no index',
);

function carryOut(what: string): void {
  const changing = join(temp.root, 'changing.php');
  const index = join(temp.root, 'index.php');
  switch (what) {
    case 'script':
      rmSync(changing, { recursive: true, force: true });
      writeFileSync(changing, '<?php');
      break;
    case 'folder':
      rmSync(changing, { recursive: true, force: true });
      mkdirSync(changing);
      writeFileSync(join(changing, 'index.php'), '<?php');
      break;
    case 'away':
      rmSync(changing, { recursive: true, force: true });
      break;
    case 'longer text':
      appendFileSync(join(temp.root, 'b.txt'), 'more');
      break;
    case 'no index':
      rmSync(index, { force: true });
      break;
    default:
      writeFileSync(index, '<?php');
  }
}

/** With what stands in errors in words, as each error is an object of its own. */
function told(plan: Plan): unknown {
  return JSON.parse(JSON.stringify(plan, (_key, value) => (value instanceof Error ? value.message : value)));
}

describe('a site that has answered many requests plans the next as a new one would', () => {
  const options: Record<string, Partial<GatewayOptions<never>>> = {
    'scripts alone': {},
    files: { files: true },
    'a front controller': { frontController: '/a.php' },
    'a front controller and files': { frontController: '/a.php', files: true, ambiguousPaths: 'redirect' },
    'below a mount point': { mount: '/sub', files: true, ambiguousPaths: 'allow' },
    'files that are on another host': { fpmRoot: '/srv/app', frontController: '/a.php' },
    'tried suffixes': { tryFiles: ['$uri', '$uri.php', '/a.php'] },
  };
  it.each(Object.entries(options))('%s', async (_name, given) => {
    const settings = readOptions(given.fpmRoot ? given : { root: temp.root, ...given });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(line, change), { minLength: 5, maxLength: 25 }), async (steps) => {
        const old = new Site(settings);
        for (const [request, what] of steps) {
          carryOut(what);
          await nextTurn();
          expect(told(old.plan(request, true))).toEqual(told(new Site(settings).plan(request)));
        }
      }),
      { numRuns: 25 },
    );
  });
});

it.each(['/a.php/some/name', '/some/pretty/name'])(
  'what is remembered of %s keeps no URL in memory',
  async (path) => {
    const gc = garbageCollector();
    const dispatcher = new FakeDispatcher();
    const handler = createHandler(dispatcher, { root: temp.root, frontController: '/a.php' });
    const server = http.createServer(handler).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const ask = async (url: string): Promise<void> => {
      const [response] = await once(http.get({ port, path: url, agent }), 'response');
      expect(response.statusCode).toBe(200);
      await once(response.resume(), 'end');
    };
    await ask(path);
    gc();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 800; i++) await ask(`${path}/${i}?${'x'.repeat(15_000)}`);
    agent.destroy();
    dispatcher.exchanges.splice(0);
    server.close();
    await nextTurn();
    gc();
    // 12 MB were asked for
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(6_000_000);
  },
);
