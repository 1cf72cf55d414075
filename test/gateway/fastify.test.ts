/** What is Fastify's own: routes, hooks, prefixes, parsers, logs. The rest is in the contract. */
import { once } from 'node:events';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { FcgiError } from '../../src/errors.ts';
import fastcgi, { type FastifyGatewayOptions } from '../../src/gateway/fastify.ts';
import { answer, FakeDispatcher, type Play } from './fake-dispatcher.ts';
import { tempSite } from './temp-site.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Bench {
  readonly app: FastifyInstance;
  readonly php: FakeDispatcher;
  /** Starts the application at the first call. */
  ask(path: string, init?: RequestInit): Promise<Response>;
}

function bench(
  play?: Play,
  options: Partial<FastifyGatewayOptions> = {},
  server: FastifyServerOptions = {},
): Bench {
  const site = tempSite({ 'index.php': '', 'a.php': '', 'sub/index.php': '' });
  const php = new FakeDispatcher(play);
  const app = Fastify(server);
  app.register(fastcgi, { dispatcher: php, root: site.root, ...options });
  closing.push(site.remove, () => app.close());
  let origin: Promise<string> | null = null;
  return {
    app,
    php,
    async ask(path, init = {}) {
      origin ??= app.listen({ port: 0, host: '127.0.0.1' });
      return fetch((await origin) + path, { redirect: 'manual', ...init });
    },
  };
}

describe('routes', () => {
  it('of the application come first, the root among them', async () => {
    const { app, ask, php } = bench();
    app.get('/', async () => 'mine');
    app.get('/a.php', async () => 'mine, too');
    expect(await (await ask('/')).text()).toBe('mine');
    expect(await (await ask('/a.php')).text()).toBe('mine, too');
    expect(await (await ask('/sub/')).text()).toBe('ok');
    expect(php.exchanges).toHaveLength(1);
  });

  it("what is not PHP's comes to the not-found handler, with Fastify's own words where there is none", async () => {
    const { ask } = bench();
    const got = await ask('/none');
    expect(got.status).toBe(404);
    expect(await got.json()).toMatchObject({ message: 'Route GET:/none not found' });
  });

  it.each([
    ['/blog', '/blog/a.php/x?y', '/blog/a.php', '/x'],
    ['/blog', '/blog/', '/blog/index.php', ''],
    ['/:tenant/blog', '/acme/blog/a.php', '/acme/blog/a.php', ''],
  ])('below the prefix %s, %s is %s', async (prefix, path, scriptName, pathInfo) => {
    const { ask, php } = bench(undefined, { prefix });
    expect((await ask(path)).status).toBe(200);
    expect(php.params['SCRIPT_NAME']).toBe(scriptName);
    expect(php.params['PATH_INFO'] ?? '').toBe(pathInfo);
    expect(php.params['REQUEST_URI']).toBe(path);
    expect(php.params['SCRIPT_FILENAME']).toMatch(/\/root\/(a|index)\.php$/);
  });

  it('a target that is a whole URL, as proxies send it, is the path in it, below a prefix too', async () => {
    const { app, php } = bench(undefined, { prefix: '/blog' });
    const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
    const asked = request({ host: '127.0.0.1', port, path: 'http://site.example/blog/a.php/x?y' }).end();
    const [got] = await once(asked, 'response');
    got.resume();
    expect(got.statusCode).toBe(200);
    expect(php.params).toMatchObject({
      SCRIPT_NAME: '/blog/a.php',
      PATH_INFO: '/x',
      REQUEST_URI: '/blog/a.php/x?y',
      HTTP_HOST: 'site.example',
    });
  });

  it('a prefix without its slash is redirected to it; beside the prefix nothing is answered', async () => {
    const { ask } = bench(undefined, { prefix: '/blog' });
    const got = await ask('/blog?x=1');
    expect([got.status, got.headers.get('location')]).toEqual([301, '/blog/?x=1']);
    expect((await ask('/a.php')).status).toBe(404);
    expect((await ask('/blogger/a.php')).status).toBe(404);
  });

  it('a method that Fastify was taught comes to PHP', async () => {
    const site = tempSite({ 'a.php': '' });
    const php = new FakeDispatcher();
    const app = Fastify().addHttpMethod('PROPFIND', { hasBody: true });
    app.register(fastcgi, { dispatcher: php, root: site.root });
    closing.push(site.remove, () => app.close());
    const origin = await app.listen({ port: 0, host: '127.0.0.1' });
    expect((await fetch(`${origin}/a.php`, { method: 'PROPFIND', body: '<x/>' })).status).toBe(200);
    expect(php.params['REQUEST_METHOD']).toBe('PROPFIND');
  });
});

describe('hooks', () => {
  it('run up to preHandler and again at onResponse, and what they set is sent beside what PHP sets', async () => {
    const ran: string[] = [];
    const { app, ask } = bench(answer(201, ['X-B', 'php', 'Set-Cookie', 'p=1'], 'page'));
    const responded = new Promise<void>((resolve) => {
      app.addHook('onRequest', async (_request, reply) => {
        ran.push('onRequest');
        reply.header('X-A', 'hook').header('X-B', 'hook').header('Set-Cookie', 'h=1');
      });
      app.addHook('preHandler', async () => void ran.push('preHandler'));
      app.addHook('onResponse', async (_request, reply) => {
        ran.push(`onResponse ${reply.statusCode}`);
        resolve();
      });
    });
    const got = await ask('/a.php');
    expect(Object.fromEntries(got.headers)).toMatchObject({ 'x-a': 'hook', 'x-b': 'php' });
    expect(got.headers.getSetCookie()).toEqual(['h=1', 'p=1']);
    await responded;
    expect(ran).toEqual(['onRequest', 'preHandler', 'onResponse 201']);
  });

  it('that answer keep PHP out of it', async () => {
    const { app, ask, php } = bench();
    app.addHook('preHandler', async (_request, reply) => reply.code(403).send('no'));
    expect((await ask('/a.php', { method: 'POST', body: 'x' })).status).toBe(403);
    expect(php.exchanges).toHaveLength(0);
  });
});

describe('a body', () => {
  const echo: Play = async (exchange) => {
    const body = await exchange.body();
    answer(200, [], `${exchange.params['CONTENT_TYPE']} ${body.length}`)(exchange);
  };

  it.each([
    'application/json',
    'text/plain',
    'application/x-www-form-urlencoded',
    'none at all',
    'a/b;;;',
    'image/x-\xe9',
  ])('of the type "%s" reaches PHP unread, as it is', async (type) => {
    const { ask } = bench(echo);
    const got = await ask('/a.php', { method: 'POST', headers: { 'content-type': type }, body: '{"a":' });
    expect(await got.text()).toBe(`${type} 5`);
  });

  it('of 2 MiB passes: maxBodySize holds, and not bodyLimit', async () => {
    const { ask } = bench(echo);
    const body = Buffer.alloc(2 * 1024 * 1024);
    const headers = { 'content-type': 'application/json' };
    expect(await (await ask('/a.php', { method: 'PUT', headers, body })).text()).toBe(
      'application/json 2097152',
    );
  });

  it('of a route of the application is parsed as ever', async () => {
    const { app, ask } = bench();
    app.post('/mine', async (request) => request.body);
    const headers = { 'content-type': 'application/json' };
    expect(await (await ask('/mine', { method: 'POST', headers, body: '{"a":1}' })).json()).toEqual({ a: 1 });
  });
});

describe('inject()', () => {
  const echo: Play = async (exchange) => {
    const body = await exchange.body();
    exchange.head(200, ['Content-Type', 'text/plain']);
    exchange.data(`${exchange.params['CONTENT_LENGTH']}: ${body}`);
    exchange.end();
  };

  it.each<[string, () => string | Readable, string]>([
    ['a string', () => 'a=1', '3: a=1'],
    ['a stream, which comes without a length', () => Readable.from(['a=', '12']), '4: a=12'],
  ])('hands on a payload that is %s', async (_, payload, expected) => {
    const { app } = bench(echo);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const got = await app.inject({ method: 'POST', url: '/a.php', headers, payload: payload() });
    expect(got.body).toBe(expected);
  });

  it('without a payload there is no body', async () => {
    const { app, php } = bench();
    expect((await app.inject('/a.php')).statusCode).toBe(200);
    expect(php.exchanges[0]?.request.body).toBeNull();
    expect(php.params['CONTENT_LENGTH'] ?? '').toBe('');
  });
});

describe('the log', () => {
  function logged(play: Play): Bench & { lines: { level: number; msg: string }[] } {
    const lines: { level: number; msg: string }[] = [];
    const stream = { write: (line: string) => void lines.push(JSON.parse(line)) };
    return { ...bench(play, {}, { logger: { level: 'info', stream }, disableRequestLogging: true }), lines };
  }

  it('has an error for what PHP-FPM failed at, and a warning for STDERR', async () => {
    const { ask, lines } = logged((exchange) => {
      exchange.request.onStderr?.(Buffer.from('PHP Warning'));
      exchange.fail(new FcgiError('FCGI_ERR_SOCKET_CLOSED', 'gone'));
    });
    expect((await ask('/a.php')).status).toBe(502);
    expect(lines).toContainEqual(expect.objectContaining({ level: 40, stderr: 'PHP Warning' }));
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 50,
        err: expect.objectContaining({ code: 'FCGI_ERR_SOCKET_CLOSED' }),
      }),
    );
  });

  it('has no error for what a client did wrong', async () => {
    const { ask, lines } = logged(() => {});
    expect((await ask('/a%00.php')).status).toBe(400);
    expect(lines.map(({ level }) => level).filter((level) => level > 30)).toEqual([]);
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 30, err: expect.objectContaining({ option: 'url' }) }),
    );
  });
});

it.each([
  [{ root: '/nowhere' }, 'root'],
  [{ indx: 'a.php' } as never, 'indx'],
  [{ dispatcher: {} as never }, 'dispatcher'],
])('options that cannot be (%o) are an error when the application gets ready', async (options, option) => {
  const { app } = bench(undefined, options);
  await expect(app.ready()).rejects.toMatchObject({ code: 'FCGI_ERR_INVALID_ARG', option });
});
