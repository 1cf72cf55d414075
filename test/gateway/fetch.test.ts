import type http from 'node:http';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { H3, toNodeHandler as h3ToNode } from 'h3';
import { toNodeHandler as srvxToNode } from 'srvx/node';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import {
  createFetchHandler,
  type FetchHandler,
  type GatewayOptions,
  type RequestInfo,
} from '../../src/gateway/fetch.ts';
import { within } from '../fpm/support/wait.ts';
import { answer, FakeDispatcher, type Play } from './fake-dispatcher.ts';
import { openFiles } from './open-files.ts';
import { rawServer } from './raw.ts';
import { tempSite } from './temp-site.ts';

const site = tempSite({ 'a.php': '', 'index.php': '', 'large.bin': 'x'.repeat(1_000_000) });
afterAll(site.remove);

function bench(
  play?: Play,
  options: GatewayOptions<Request> = {},
): { php: FakeDispatcher; handler: FetchHandler } {
  const php = new FakeDispatcher(play);
  return { php, handler: createFetchHandler(php, { root: site.root, ...options }) };
}

const page = 'http://a.example/a.php';

describe('a Request', () => {
  it('says host, port and scheme by its URL, and who asked by the info beside it', async () => {
    const { php, handler } = bench();
    await handler(new Request('https://a.example:8443/a.php?x=1#y'), {
      remote: { address: '192.0.2.7', port: 4000 },
      local: { address: '192.0.2.1', port: 8443 },
      protocol: 'HTTP/2.0',
    });
    expect(php.params).toMatchObject({
      HTTP_HOST: 'a.example:8443',
      SERVER_NAME: 'a.example',
      SERVER_PORT: '8443',
      HTTPS: 'on',
      REQUEST_URI: '/a.php?x=1',
      REMOTE_ADDR: '192.0.2.7',
      REMOTE_PORT: '4000',
      SERVER_PROTOCOL: 'HTTP/2.0',
    });
  });

  it('with nothing beside it still has every variable that can be known', async () => {
    const { php, handler } = bench();
    await handler(new Request(page));
    expect(php.params).toMatchObject({ SERVER_PORT: '80', SERVER_PROTOCOL: 'HTTP/1.1' });
    // an empty address would be taken for one
    expect(php.params).not.toHaveProperty('REMOTE_ADDR');
  });

  it.each([
    ['no port, as nobody knows it', { remote: { address: '192.0.2.7' } }, { REMOTE_ADDR: '192.0.2.7' }],
    ['no port of ours', { local: { address: '192.0.2.1' } }, { SERVER_ADDR: '192.0.2.1', SERVER_PORT: '80' }],
    // Bun.serve() hands its server over, Hono's mount() the environment
    ['what is no protocol', { protocol: 'http', next: '/' }, { SERVER_PROTOCOL: 'HTTP/1.1' }],
    ['null', null, { SERVER_PROTOCOL: 'HTTP/1.1' }],
  ])('may come with %s', async (_what, info, params) => {
    const { php, handler } = bench();
    expect((await handler(new Request(page), info as RequestInfo)).status).toBe(200);
    expect(php.params).toMatchObject(params);
    expect(php.params).not.toHaveProperty('REMOTE_PORT');
    expect((await handler(new Request('http://a/none'), info as RequestInfo)).status).toBe(404);
  });

  it.each([
    ['remote', '192.0.2.7'],
    ['remote', { hostname: '192.0.2.7', port: 4000 }],
    ['local', { address: '192.0.2.1', port: '80' }],
  ])('with a %s that is none is 500, and onError is told which: %j', async (name, value) => {
    const errors: unknown[] = [];
    const { handler } = bench(undefined, { onError: (error) => errors.push(error) });
    expect((await handler(new Request(page), { [name]: value } as RequestInfo)).status).toBe(500);
    expect(errors).toEqual([expect.objectContaining({ code: 'FCGI_ERR_INVALID_ARG', option: name })]);
  });

  it('that a router has wrapped, so that it has no body rather than null, is served', async () => {
    const { php, handler } = bench();
    // as itty-router does: what is null is looked for among the parameters of the path
    const wrapped = new Proxy(new Request(page), {
      get: (request, name) => {
        const value: unknown = Reflect.get(request, name, request);
        return (typeof value === 'function' ? value.bind(request) : value) ?? undefined;
      },
    });
    expect((await handler(wrapped)).status).toBe(200);
    expect(php.params).not.toHaveProperty('CONTENT_LENGTH');
  });

  it("that is not PHP's goes to next, or is 404", async () => {
    const { handler } = bench();
    expect((await handler(new Request('http://a/none'))).status).toBe(404);
    const next = (): Response => new Response('static');
    expect(await (await handler(new Request('http://a/none'), { next })).text()).toBe('static');
    expect(await (await handler(new Request(page), { next })).text()).toBe('ok');
  });

  it('whose signal has fired before asks nobody', async () => {
    const { php, handler } = bench();
    const signal = AbortSignal.abort(new Error('too late'));
    expect((await handler(new Request(page, { signal }))).status).toBe(499);
    expect(php.exchanges).toHaveLength(0);
  });

  it('whose signal fires before the head does not reject, and frees PHP', async () => {
    const { php, handler } = bench(() => {});
    const asked = php.next();
    const gone = new AbortController();
    const response = handler(new Request(page, { signal: gone.signal }));
    const exchange = await asked;
    gone.abort(new Error('enough'));
    expect((await response).status).toBe(499);
    await exchange.gone;
  });

  it('whose signal fires in the middle breaks the body, and frees PHP', async () => {
    const { php, handler } = bench((exchange) => {
      exchange.head(200);
      exchange.data('half');
    });
    const gone = new AbortController();
    const response = await handler(new Request(page, { signal: gone.signal }));
    gone.abort(new Error('enough'));
    await expect(response.text()).rejects.toThrow('enough');
    await php.exchanges[0]?.gone;
  });

  it('whose signal fires in the middle has its body cancelled by a server that looks at it, too: no error for its console', async () => {
    const { php, handler } = bench((exchange) => {
      exchange.head(200);
      exchange.data('half');
    });
    const gone = new AbortController();
    const response = await handler(new Request(page, { signal: gone.signal }));
    const reader = response.body?.getReader();
    await reader?.read();
    const next = reader?.read();
    gone.signal.addEventListener('abort', () => void reader?.cancel());
    gone.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    await php.exchanges[0]?.gone;
  });

  it('whose signal fires when all is over changes nothing', async () => {
    const { handler } = bench();
    const gone = new AbortController();
    const response = await handler(new Request(page, { signal: gone.signal }));
    gone.abort();
    expect(await response.text()).toBe('ok');
  });
});

describe('a Response', () => {
  it('whose body is cancelled frees PHP', async () => {
    const { php, handler } = bench((exchange) => {
      exchange.head(200);
      exchange.data('half');
    });
    const response = await handler(new Request(page));
    await response.body?.cancel();
    await php.exchanges[0]?.gone;
  });

  const sends = (bytes: number, ends: boolean): Play => {
    return async (exchange) => {
      exchange.head(200);
      for (let left = bytes; left > 0 && !exchange.aborted; left -= 65_536) {
        await exchange.resumed();
        exchange.data(Buffer.alloc(65_536));
      }
      if (ends) exchange.end();
    };
  };

  // as a middleware that limits the time does, which has answered meanwhile
  it('whose body nobody begins to read within sendTimeout frees PHP, and the log is told', async () => {
    const errors: unknown[] = [];
    const { php, handler } = bench(sends(10_000_000, true), {
      sendTimeout: 50,
      onError: (error) => void errors.push(error),
    });
    const unread = await handler(new Request(page));
    await php.exchanges[0]?.gone;
    await expect(unread.text()).rejects.toThrow('Nobody');
    expect(errors).toEqual([
      expect.objectContaining({ code: 'FCGI_ERR_BODY_TIMEOUT', hint: expect.stringContaining('PHP worker') }),
    ]);
  });

  // as of a server that does not hear that its client has left
  it('of whose body nothing more is read for sendTimeout frees PHP', async () => {
    const errors: unknown[] = [];
    const { php, handler } = bench(sends(10_000_000, true), {
      sendTimeout: 50,
      onError: (error) => void errors.push(error),
    });
    const reader = (await handler(new Request(page))).body?.getReader();
    expect((await reader?.read())?.done).toBe(false);
    await php.exchanges[0]?.gone;
    const rest = async (): Promise<void> => {
      for (let part = await reader?.read(); part?.done === false; part = await reader?.read());
    };
    await expect(rest()).rejects.toThrow('for 50 ms');
    // a client that has gone is nobody's fault
    expect(errors).toEqual([]);
  });

  it('that is read slowly, but again and again, is whole', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { handler } = bench(sends(2_097_152, true), { sendTimeout: 60_000 });
      const reader = (await handler(new Request(page))).body?.getReader();
      let length = 0;
      for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
        length += part.value.length;
        await vi.advanceTimersByTimeAsync(40_000);
      }
      expect(length).toBe(2_097_152);
    } finally {
      vi.useRealTimers();
    }
  });

  it.each([
    ['a file of the site', '/large.bin'],
    ['a file that PHP hands over', '/a.php'],
  ])('that is %s, and of which nothing is read for sendTimeout, is closed', async (_, path) => {
    const large = join(site.root, 'large.bin');
    const { handler } = bench(answer(200, ['X-Sendfile', large]), {
      files: true,
      xSendfile: [site.root],
      sendTimeout: 50,
    });
    const unread = await handler(new Request(`http://a.example${path}`));
    const begun = await handler(new Request(`http://a.example${path}`));
    expect(openFiles(large)).toBe(2);
    expect((await begun.body?.getReader().read())?.done).toBe(false);
    await expect.poll(() => openFiles(large)).toBe(0);
    await expect(unread.text()).rejects.toThrow('Nobody');
    const read = await handler(new Request(`http://a.example${path}`));
    expect((await read.arrayBuffer()).byteLength).toBe(1_000_000);
    await expect.poll(() => openFiles(large)).toBe(0);
  });

  it('that is here as a whole and that nobody reads does not keep its space in responseBufferTotal', async () => {
    const { php, handler } = bench(sends(524_288, true), { sendTimeout: 50, responseBufferTotal: 600_000 });
    /** All of it is here, where there is space. */
    const isPaused = async (): Promise<boolean | undefined> => {
      await new Promise((resolve) => setImmediate(resolve));
      return php.exchanges.at(-1)?.paused;
    };
    const unread = await handler(new Request(page));
    expect(await isPaused()).toBe(false);
    const next = await handler(new Request(page));
    expect(await isPaused()).toBe(true);
    await next.body?.cancel();
    await expect
      .poll(async () => {
        const { body } = await handler(new Request(page));
        const paused = await isPaused();
        await body?.cancel();
        return paused;
      })
      .toBe(false);
    await expect(unread.text()).rejects.toThrow('Nobody');
  });

  it("has PHP's phrase", async () => {
    const { handler } = bench(answer(404, [], '', 'Gone Fishing'));
    expect((await handler(new Request(page))).statusText).toBe('Gone Fishing');
  });

  it.each([600, 999])('cannot have the status %i: that is 502, and the log is told', async (status) => {
    const errors: unknown[] = [];
    const { handler } = bench(answer(status, [], 'x'), { onError: (error) => void errors.push(error) });
    expect((await handler(new Request(page))).status).toBe(502);
    expect(errors).toHaveLength(1);
  });

  it('of 205 has no body', async () => {
    const { handler } = bench(answer(205, [], 'x'));
    expect((await handler(new Request(page))).body).toBeNull();
  });

  it("is PHP's redirect, not followed", async () => {
    const { handler } = bench(answer(302, ['Location', 'https://b.example/']));
    const response = await handler(new Request(page));
    expect([response.status, response.headers.get('location')]).toEqual([302, 'https://b.example/']);
  });
});

describe('an upload', () => {
  it('that fails in the middle, uncounted, is told to the log', async () => {
    const errors: unknown[] = [];
    const { php, handler } = bench(undefined, { onError: (error) => void errors.push(error) });
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.error(new Error('disk on fire'));
      },
    });
    const init = { method: 'POST', body, duplex: 'half' } as const;
    expect((await handler(new Request(page, init))).status).toBe(500);
    expect(php.exchanges).toHaveLength(0);
    expect(errors).toEqual([expect.objectContaining({ message: 'disk on fire' })]);
  });

  // @sveltejs/adapter-node breaks a body off that is longer than its BODY_SIZE_LIMIT
  it.each([
    [{ status: 413 }, true, 413],
    [{ status: 413 }, false, 413],
    [{ status: 400 }, true, 400],
    [{ status: 500 }, true, 500],
    [{ status: 200 }, true, 500],
    [{ status: '413' }, true, 500],
  ])(
    'that the server in front breaks off with an error of %j, buffered: %s, is answered %i',
    async (facts, requestBuffering, status) => {
      const errors: unknown[] = [];
      const { handler } = bench(
        async (exchange) => exchange.fail(await exchange.body().catch((error) => error)),
        {
          requestBuffering,
          onError: (error) => void errors.push(error),
        },
      );
      const error = Object.assign(new Error('longer than the limit'), facts);
      const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(error) });
      const headers = { 'content-length': '700000' };
      const response = await handler(new Request(page, { method: 'POST', body, headers, duplex: 'half' }));
      expect([response.status, errors]).toEqual([status, [error]]);
    },
  );

  // Deno fires the signal of such a request later, or not at all
  it.each([
    { name: 'BadResource', message: 'Cannot read request body as underlying resource unavailable' },
    { name: 'Http', message: 'unexpected EOF while reading HTTP/1 body' },
    { code: 'ECONNRESET', message: 'aborted' },
  ])('whose client leaves in the middle is no failure of the server: %j', async (facts) => {
    const errors: unknown[] = [];
    const { php, handler } = bench(undefined, {
      onError: (error, _request, statusCode) => errors.push([statusCode, error]),
    });
    const error = Object.assign(new Error(facts.message), facts);
    const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(error) });
    const headers = { 'content-length': '700000' };
    const response = await handler(new Request(page, { method: 'POST', body, headers, duplex: 'half' }));
    expect([response.status, errors]).toEqual([400, [[400, expect.any(ArgumentError)]]]);
    expect(php.exchanges).toHaveLength(0);
  });

  it('with a Content-Length that is no number is 400', async () => {
    const { handler } = bench();
    const headers = { 'content-length': '1e3' };
    expect((await handler(new Request(page, { method: 'POST', body: 'x', headers }))).status).toBe(400);
  });
});

describe('a server that aborts the signal when it has delivered the response', () => {
  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('does not cut a script that goes on behind its head: %s %i', async (method, status) => {
    const { php, handler } = bench((exchange) => exchange.head(status));
    const delivered = new AbortController();
    const response = await handler(new Request('http://a/a.php', { method, signal: delivered.signal }));
    expect(response.status).toBe(status);
    delivered.abort();
    expect(php.exchanges[0]?.aborted).toBe(false);
    php.exchanges[0]?.end();
  });
});

describe.each<[string, (php: FetchHandler) => http.RequestListener]>([
  ['srvx', (php) => srvxToNode((request) => php(request)) as http.RequestListener],
  ['h3', (php) => h3ToNode(new H3().use((event) => php(event.req)))],
  ['Hono', (php) => getRequestListener((request) => php(request))],
])('through %s', (_, listener) => {
  it.each([true, false])(
    'a client that stalls in an upload is told 408, and its connection closed (requestBuffering: %s)',
    async (requestBuffering) => {
      const { handler } = bench(async (exchange) => void (await exchange.body()), {
        requestBuffering,
        bodyReadTimeout: 50,
        onError: () => {},
      });
      const server = await rawServer(listener(handler));
      const asked = 'POST /a.php HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nsome';
      const { text } = await within(server.exchange(asked), 3000, 'the end of the connection');
      await server.close();
      expect(text).toMatch(/^HTTP\/1\.1 408 /);
      expect(text).toMatch(/\r\nConnection: close\r\n/i);
    },
  );
});
