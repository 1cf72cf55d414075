/** Pages for errors, scripts whose client has left, and a root that is moved. */
import { once } from 'node:events';
import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { FcgiError } from '../../src/errors.ts';
import { createHandler, type NodeHandler, type NodeResponse } from '../../src/gateway/node.ts';
import type { ErrorPage } from '../../src/gateway/options.ts';
import { readOptions } from '../../src/gateway/settings.ts';
import { RootLink } from '../../src/gateway/site/root-link.ts';
import { Site } from '../../src/gateway/site/site.ts';
import { type AnyOptions, adapters, type Client } from './adapters.ts';
import { answer, FakeDispatcher, type Play } from './fake-dispatcher.ts';
import { tempSite } from './temp-site.ts';

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

interface Bench {
  readonly php: FakeDispatcher;
  readonly client: Client;
  readonly errors: unknown[];
  get(path: string, method?: string): Promise<{ status: number; type: unknown; text: string }>;
}

async function bench(name: string, play: Play, options: AnyOptions = {}): Promise<Bench> {
  const adapter = adapters.find((each) => each.name === name);
  if (!adapter) throw new Error(`There is no adapter ${name}`);
  const site = tempSite({ 'a.php': '' });
  const php = new FakeDispatcher(play);
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const client = await adapter.serve(php, { root: site.root, onError, ...options });
  open.push(() => client.close(), site.remove);
  return {
    php,
    client,
    errors,
    async get(path, method = 'GET') {
      const { status, headers, body } = await client.open({ path, method });
      let text = '';
      for await (const chunk of body) text += chunk;
      return { status, type: headers['content-type'], text };
    },
  };
}

const failing: Play = (exchange) => exchange.fail(new FcgiError('FCGI_ERR_SOCKET_CLOSED', 'gone'));

describe.each(['node:http', 'node:http2', 'fetch'])('through %s', (name) => {
  it('an error of ours has the page that was made for it, else our own', async () => {
    const errorPage = (status: number): ErrorPage | null =>
      status === 502 ? { body: '<h1>Sorr\u00ff</h1>' } : null;
    const { get } = await bench(name, failing, { errorPage });
    expect(await get('/a.php')).toEqual({
      status: 502,
      type: 'text/html; charset=utf-8',
      text: '<h1>Sorr\u00ff</h1>',
    });
    expect(await get('/a%00.php')).toMatchObject({ status: 400, text: '400 Bad Request\n' });
  });

  it('a HEAD is answered also where neither the head of PHP nor its end is any good', async () => {
    const { get } = await bench(name, (exchange) => {
      exchange.head(1000);
      exchange.fail(new Error('worker died'));
    });
    expect((await get('/a.php', 'HEAD')).status).toBe(502);
  });

  it('a page that cannot be made leaves our own, and the log is told', async () => {
    const errorPage = (): never => {
      throw new Error('no template');
    };
    const { get, errors } = await bench(name, failing, { errorPage });
    expect(await get('/a.php')).toMatchObject({ status: 502, text: '502 Bad Gateway\n' });
    await expect.poll(() => errors).toContainEqual(expect.objectContaining({ message: 'no template' }));
  });

  it("PHP's own errors pass, unless they are to be intercepted", async () => {
    const play = answer(404, ['Content-Type', 'text/x', 'Content-Length', '3'], 'php');
    const errorPage = (status: number): ErrorPage | null =>
      status === 404 ? { body: 'ours', contentType: 'text/y' } : null;
    const passing = await bench(name, play, { errorPage });
    expect(await passing.get('/a.php')).toEqual({ status: 404, type: 'text/x', text: 'php' });
    const intercepting = await bench(name, play, { errorPage, interceptErrors: true });
    expect(await intercepting.get('/a.php')).toEqual({ status: 404, type: 'text/y', text: 'ours' });
    expect(await intercepting.get('/a.php', 'HEAD')).toEqual({ status: 404, type: 'text/y', text: '' });
    const others = await bench(name, answer(500, [], 'php'), { errorPage, interceptErrors: true });
    expect(await others.get('/a.php')).toMatchObject({ status: 500, text: 'php' });
  });

  it('a script whose client has left runs to its end where it shall, with all of its request', async () => {
    let goOn = (): void => {};
    const gone = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { client, php, errors } = await bench(
      name,
      async (exchange) => {
        exchange.head(200, ['Content-Type', 'text/plain']);
        await gone;
        expect((await exchange.body()).length).toBe(300_000);
        for (let i = 0; i < 100; i++) exchange.data(Buffer.alloc(65_536));
        expect(exchange.paused).toBe(false);
        exchange.end();
        finished();
      },
      { onClientAbort: 'finish' },
    );
    let finished = (): void => {};
    const over = new Promise<void>((resolve) => {
      finished = resolve;
    });
    const { body, leave } = await client.open({
      path: '/a.php',
      method: 'POST',
      body: Buffer.alloc(300_000),
    });
    body.on('error', () => {});
    const closed = new Promise((resolve) => body.once('close', resolve));
    leave();
    await closed;
    // the server hears of it in its own time: what is answered next came behind
    await client.open({ path: '/none' });
    goOn();
    await over;
    expect({ aborted: php.exchanges[0]?.aborted, errors }).toEqual({ aborted: false, errors: [] });
  });
});

describe('a root that is a link', () => {
  function releases(): { readonly link: string; move(to: string): void } {
    const site = tempSite({ 'one/a.php': '', 'two/a.php': '' });
    open.push(site.remove);
    const link = join(site.root, 'current');
    symlinkSync('one', link);
    return {
      link,
      move(to) {
        rmSync(link, { force: true });
        symlinkSync(to, link);
      },
    };
  }

  it('is known by its real path, and by another one as soon as it leads elsewhere', () => {
    const { link, move } = releases();
    const root = new RootLink(link, () => 5);
    expect(root.moved()).toMatch(/\/one$/);
    expect(root.moved()).toBeNull();
    move('two');
    expect(root.moved()).toMatch(/\/two$/);
    expect(root.moved()).toBeNull();
  });

  it('that leads to the same folder by another name is known by it a second later', () => {
    const { link, move } = releases();
    let now = 5;
    const root = new RootLink(link, () => now);
    root.moved();
    renameSync(join(link, '..', 'one'), join(link, '..', 'three'));
    move('three');
    now += 999;
    expect(root.moved()).toBeNull();
    now += 2;
    expect(root.moved()).toMatch(/\/three$/);
    now += 2000;
    expect(root.moved()).toBeNull();
  });

  it('has a script that only the new release has run there, right after the deploy', () => {
    const { link, move } = releases();
    const site = new Site(readOptions({ root: link, resolveRootSymlink: true }));
    const scriptFor = (url: string): unknown => {
      const plan = site.plan({ method: 'GET', url, originalUrl: url });
      if (plan.kind !== 'run') throw new Error(plan.kind);
      return site.params({ method: 'GET', url, headers: [] }, plan, undefined)['SCRIPT_FILENAME'];
    };
    writeFileSync(join(link, '..', 'two', 'new.php'), '');
    expect(scriptFor('/a.php')).toMatch(/\/one\/a\.php$/);
    move('two');
    expect(scriptFor('/new.php')).toMatch(/\/two\/new\.php$/);
  });

  it('that is not there for a moment is taken to be where it was', () => {
    const { link, move } = releases();
    let now = 5;
    const root = new RootLink(link, () => now);
    root.moved();
    rmSync(link);
    now += 2000;
    expect(root.moved()).toBeNull();
    move('two');
    now += 2000;
    expect(root.moved()).toMatch(/\/two$/);
  });

  it.each([
    [true, /\/one\/a\.php$/],
    [false, /\/current\/a\.php$/],
  ])('is told to PHP by its real path if so configured (%s)', (resolveRootSymlink, expected) => {
    const { link } = releases();
    writeFileSync(join(link, 'a.php'), '');
    const site = new Site(readOptions({ root: link, resolveRootSymlink }));
    const plan = site.plan({ method: 'GET', url: '/a.php', originalUrl: '/a.php' });
    if (plan.kind !== 'run') throw new Error(plan.kind);
    const params = site.params({ method: 'GET', url: '/a.php', headers: [] }, plan, undefined);
    expect(params['SCRIPT_FILENAME']).toMatch(expected);
    expect(`${params['DOCUMENT_ROOT']}/a.php`).toBe(params['SCRIPT_FILENAME']);
  });
});

describe('a response that somebody else ends while PHP is asked', () => {
  const servers = {
    'node:http': (handler: NodeHandler) =>
      http.createServer((request, response) => handler(request, response)),
    'node:http2': (handler: NodeHandler) =>
      http2.createServer((request, response) => handler(request, response)),
  };

  async function ended(
    server: keyof typeof servers,
    end: (response: NodeResponse) => void,
  ): Promise<unknown[]> {
    const site = tempSite({ 'a.php': '' });
    const errors: unknown[] = [];
    let tell: (reason: unknown) => void = () => {};
    const gone = new Promise((resolve) => {
      tell = resolve;
    });
    const php = new FakeDispatcher((exchange) => exchange.gone.then(tell));
    const handler = createHandler(php, { root: site.root, onError: (error) => void errors.push(error) });
    const listener = servers[server]((request, response) => {
      handler(request, response);
      end(response);
    });
    await once(listener.listen(0, '127.0.0.1'), 'listening');
    const { port } = listener.address() as AddressInfo;
    open.push(() => listener.close(), site.remove);
    if (server === 'node:http') http.get({ port, path: '/a.php', agent: false }).on('error', () => {});
    else {
      const session = http2.connect(`http://127.0.0.1:${port}`);
      open.push(() => session.destroy());
      session
        .request({ ':path': '/a.php' })
        .on('error', () => {})
        .resume();
    }
    await gone;
    await new Promise((resolve) => setImmediate(resolve));
    return errors;
  }

  it.each(['node:http', 'node:http2'] as const)(
    "%s: onError is told why PHP's reply is lost",
    async (server) => {
      expect(await ended(server, (response) => response.end())).toEqual([
        expect.objectContaining({
          message: expect.stringContaining('Another handler has ended the response'),
        }),
      ]);
    },
  );

  it('a timeout in front, such as connect-timeout or handlerTimeout of Fastify, is named as a cause', async () => {
    const answer = (response: Parameters<Parameters<typeof ended>[1]>[0]): void => {
      response.statusCode = 503;
      response.end('late');
    };
    expect(await ended('node:http', answer)).toEqual([
      expect.objectContaining({ message: expect.stringContaining('a timeout in front') }),
    ]);
  });

  it.each(['node:http', 'node:http2'] as const)(
    '%s: of a client that has left it is not told',
    async (server) => {
      expect(await ended(server, (response) => response.destroy())).toEqual([]);
    },
  );
});
