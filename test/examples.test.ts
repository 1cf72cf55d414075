/** Every file in examples/ is run as it is, from the built package, and asked what it says it answers. */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import http2 from 'node:http2';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Child } from './fpm/support/child.ts';
import { type Fpm, freePort, startFpm } from './fpm/support/index.ts';

const folder = new URL('../examples/', import.meta.url).pathname;
const examples = readdirSync(folder).filter((name) => name.endsWith('.mjs'));
const run = promisify(execFile);

let fpm: Fpm;
beforeAll(async () => {
  fpm = await startFpm({ maxChildren: 4 });
});
afterAll(() => fpm?.stop());

/** What it prints; rejects where it fails. */
async function outputOf(name: string, ...flags: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [...flags, folder + name], {
    env: { ...process.env, FPM: fpm.address, NODE_TEST_CONTEXT: undefined },
  });
  return stdout;
}

type Get = (path: string, body?: string) => Promise<{ status: number; text: string }>;

/** Starts it as a server, on a port of its own. */
async function served(
  name: string,
  ask: (get: Get) => Promise<void>,
  client = overHttp1,
  { home = '/', flags = [] }: { home?: string; flags?: readonly string[] } = {},
): Promise<void> {
  const port = await freePort();
  const child = await Child.start({
    command: 'env',
    args: [`FPM=${fpm.address}`, `PORT=${port}`, process.execPath, ...flags, folder + name],
    ready: /^http:\/\/localhost:\d+$/m,
  });
  try {
    expect(child.log).toContain(`http://localhost:${port}\n`);
    const { get, close } = client(`http://localhost:${port}`);
    await answersPhp(get, home);
    await ask(get);
    await close();
  } catch (error) {
    throw new Error(`${name} said:\n${child.log}`, { cause: error });
  } finally {
    await child.stop();
  }
}

interface Client {
  readonly get: Get;
  close(): Promise<void>;
}

function overHttp1(origin: string): Client {
  return {
    async get(path, body) {
      const response = await fetch(origin + path, body === undefined ? {} : { method: 'POST', body });
      return { status: response.status, text: await response.text() };
    },
    close: async () => {},
  };
}

function overHttp2(origin: string): Client {
  const session = http2.connect(origin);
  return {
    async get(path, body) {
      const stream = session.request({ ':path': path, ':method': body === undefined ? 'GET' : 'POST' });
      stream.end(body);
      let status = 0;
      stream.on('response', (head) => {
        status = Number(head[':status']);
      });
      let text = '';
      for await (const chunk of stream.setEncoding('utf8')) text += chunk;
      return { status, text };
    },
    close: () => new Promise((resolve) => session.close(resolve)),
  };
}

async function answersPhp(get: Get, path: string): Promise<void> {
  const home = await get(path);
  expect(home.status).toBe(200);
  expect(home.text).toContain('PHP pages over kept connections');
  // what the page calls "Your browser"
  expect(home.text).toMatch(/(127\.0\.0\.1|::1), port /);
  expect((await get('/route.php/hello/J%C3%BCrgen')).text).toContain('Hello, Jürgen!');
  expect((await get('/route.php/sum/1/2/39', 'a=b')).text).toContain('The sum is 42.');
  // PHP's own refusal: the form lacks its token
  expect((await get('/form.php', 'name=Ada')).status).toBe(403);
  expect(await get('/assets/site.css')).toEqual(style);
  const source = await get('/inc/site.php');
  expect(source.text).not.toContain('<?php');
}

const node = { status: 200, text: 'Node says hello' };
const missing = expect.objectContaining({ status: 404 });
const style = { status: 200, text: expect.stringContaining('{') };

const checks: Readonly<Record<string, (name: string) => Promise<void>>> = {
  'one-request.mjs': async (name) => {
    const output = await outputOf(name);
    expect(output).toMatch(/^200 text\/html; charset=utf-8\n/);
    expect(output).toContain('PHP pages over kept connections');
  },
  'several-servers.mjs': async (name) => {
    const lines = (await outputOf(name)).trim().split('\n');
    expect(lines).toEqual([...Array.from({ length: 20 }, () => '200'), '20 of 20 answered']);
  },
  'streaming.mjs': async (name) => {
    const output = await outputOf(name);
    expect(output.match(/ bytes after /g)?.length).toBeGreaterThanOrEqual(12);
    expect(output).toContain('200 for 16777216 bytes sent\n');
  },
  'abort-and-timeouts.mjs': async (name) => {
    const [aborted, refused, slow] = (await outputOf(name)).split('\n');
    expect(aborted).toMatch(/^TimeoutError - /);
    expect(refused).toMatch(/^FCGI_ERR_CONNECT_TIMEOUT - executed: no - /);
    expect(slow).toBe('FCGI_ERR_BODY_TIMEOUT - executed: yes');
  },
  'testing-your-app.test.mjs': async (name) => {
    const output = await outputOf(name, '--test', '--test-reporter=tap');
    expect(output).toMatch(/^# pass 2$/m);
    expect(output).toMatch(/^# fail 0$/m);
  },
  'opentelemetry.mjs': async (name) => {
    const output = await outputOf(name);
    expect(output).toContain("name: 'GET /route.php'");
    expect(output).toContain("'http.response.status_code': 200");
  },
  'prometheus.mjs': (name) =>
    served(name, async (get) => {
      const { text } = await get('/metrics');
      expect(text).toMatch(/^fastcgi_pool_served_total\{server="[^"]+",site="example"\} [1-9]/m);
      expect(text).toMatch(/^phpfpm_up\{.*\} 1$/m);
    }),
  'status.mjs': (name) =>
    served(name, async (get) => {
      expect((await get('/-/fastcgi-pool')).text).toContain('<title>fastcgi-pool: ');
      const { text } = await get('/-/fastcgi-pool?json');
      expect(JSON.parse(text).served).toBeGreaterThan(0);
    }),
  'node-http.mjs': (name) => served(name, async (get) => expect(await get('/none')).toEqual(missing)),
  'http2.mjs': (name) => served(name, async (get) => expect(await get('/none')).toEqual(missing), overHttp2),
  'express.mjs': (name) =>
    served(name, async (get) => {
      expect(await get('/node')).toEqual(node);
      expect(await get('/assets/site.css')).toEqual(style);
      expect(await get('/echo', '{}')).toMatchObject({ status: 200 });
    }),
  'vite.mjs': (name) =>
    served(name, async (get) => {
      expect(await get('/@vite/client')).toEqual({ status: 200, text: expect.stringContaining('import') });
      expect(await get('/assets/workers.js')).toEqual({
        status: 200,
        text: expect.stringContaining('fetch'),
      });
      expect(await get('/none')).toEqual(missing);
    }),
  'hono.mjs': (name) =>
    served(name, async (get) => {
      expect(await get('/node')).toEqual(node);
      expect(await get('/assets/site.css')).toEqual(style);
    }),
  'fastify.mjs': (name) => served(name, async (get) => expect(await get('/node')).toEqual(node)),
  'koa.mjs': (name) => served(name, async (get) => expect(await get('/node')).toEqual(node)),
  'nest.mjs': (name) =>
    served(name, async (get) => {
      expect(await get('/node')).toEqual(node);
      expect(await get('/assets/site.css')).toEqual(style);
      expect(await get('/none')).toEqual(missing);
    }),
  'next.mjs': (name) =>
    served(
      name,
      async (get) => {
        expect(await get('/node')).toEqual(node);
        expect(await get('/')).toEqual(node);
        expect(await get('/assets/site.css')).toEqual(style);
        expect(await get('/none')).toEqual(missing);
      },
      overHttp1,
      { home: '/index.php', flags: ['--import', new URL('./setup/next-stand-in.mjs', import.meta.url).href] },
    ),
  'h3.mjs': (name) => served(name, async (get) => expect(await get('/node')).toEqual(node)),
  'srvx.mjs': (name) =>
    served(name, async (get) => {
      expect(await get('/none')).toEqual({ status: 404, text: 'Not PHP, and not here\n' });
    }),
};

describe('examples/', () => {
  it.each(examples)('%s does what it says', async (name) => {
    const check = checks[name];
    if (!check) throw new Error(`examples/${name} has no check here`);
    await check(name);
  });

  it('holds every file that is checked here', () => {
    expect(examples.toSorted()).toEqual(Object.keys(checks).toSorted());
  });
});
