/** Whoever runs a gateway can always know what happened, and hears of it where he has asked for nothing. */
import { createRequire } from 'node:module';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { ArgumentError, FcgiError, PoolError, SocketError } from '../../src/errors.ts';
import { createFetchHandler, type FetchHandler, type GatewayOptions } from '../../src/gateway/fetch.ts';
import { type EndInfo, endedBadly } from '../../src/gateway/reply/outcome.ts';
import { Warnings } from '../../src/gateway/warnings.ts';
import { Pool } from '../../src/index.ts';
import { startFpm } from '../fpm/support/index.ts';
import { answer, FakeDispatcher, type Play } from './fake-dispatcher.ts';
import { tempSite } from './temp-site.ts';

const process = createRequire(import.meta.url)('node:process') as NodeJS.Process;
const site = tempSite({ 'a.php': '', 'b.php': '' });
afterAll(site.remove);

const page = 'http://a/a.php';
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function handler(play: Play, options: GatewayOptions<Request> = {}): FetchHandler {
  return createFetchHandler(new FakeDispatcher(play), { root: site.root, ...options });
}

describe('onEnd', () => {
  async function ends(play: Play, ask = new Request(page)): Promise<EndInfo[]> {
    const infos: EndInfo[] = [];
    const response = await handler(play, {
      onError: () => {},
      onEnd: (info, request) => {
        expect(request).toBe(ask);
        infos.push(info);
      },
    })(ask);
    await response.text().catch(() => {});
    await tick();
    return infos;
  }

  it('is told how a request ended well, with all that the dispatcher knows', async () => {
    const [info, ...more] = await ends(answer(404, [], 'page'));
    expect(info).toEqual({
      statusCode: 404,
      error: null,
      appStatus: 0,
      reused: false,
      attempts: 1,
      executed: 'yes',
      stderr: '',
      hint: '',
      server: 'unix:/fake',
      times: expect.objectContaining({ total: 0 }),
    });
    expect(more).toEqual([]);
  });

  it('is told, also where tests have mocked the microtasks, as those of Jest do', async () => {
    vi.useFakeTimers({ toFake: ['queueMicrotask'] });
    const onEnd = vi.fn();
    const response = await handler(answer(404, [], ''), { onEnd })(new Request(page));
    vi.useRealTimers();
    await response.text();
    await tick();
    expect(onEnd).toHaveBeenCalledOnce();
  });

  it('is told why it did not, with the evidence', async () => {
    const error = new SocketError('FCGI_ERR_SOCKET_CLOSED', 'gone', {
      facts: { attempts: 3, reused: true, executed: 'no', hint: 'look there' },
    });
    expect(await ends((exchange) => exchange.fail(error))).toEqual([
      expect.objectContaining({
        statusCode: 502,
        error,
        attempts: 3,
        reused: true,
        executed: 'no',
        hint: 'look there',
      }),
    ]);
  });

  it('is told of a reply that broke off: its status, and the error', async () => {
    const error = new Error('broken');
    const infos = await ends(async (exchange) => {
      exchange.head(200);
      exchange.data('half');
      await tick();
      exchange.fail(error);
    });
    expect(infos).toEqual([expect.objectContaining({ statusCode: 200, error, executed: 'unknown' })]);
  });

  it('is told that nothing was run of a request that could not be sent, by the names that it has in all cases', async () => {
    const infos: EndInfo[] = [];
    const fpm = new Pool('unix:/no/such.sock');
    const php = createFetchHandler(fpm, {
      root: site.root,
      onError: () => {},
      onEnd: (info) => infos.push(info),
    });
    const { status } = await php(new Request(page, { headers: { Cookie: 'a'.repeat(70_000) } }));
    await fpm.close();
    expect(status).toBe(431);
    expect(infos).toEqual([
      expect.objectContaining({ executed: 'no', attempts: 0, phase: 'queued', bytesSent: 0 }),
    ]);
    expect(infos[0]).not.toHaveProperty('code');
  });

  it('is told what was sent of a body that was shorter than its length', () => {
    const error = new ArgumentError('FCGI_ERR_BODY_LENGTH', 'body', 'it ended').learn({
      executed: 'unknown',
      attempts: 1,
      bytesSent: 50_000,
      reused: true,
    });
    const seen = { executed: 'unknown', attempts: 1, bytesSent: 50_000, reused: true };
    expect(endedBadly(400, error, null)).toMatchObject(seen);
    expect(endedBadly(400, error, error)).toMatchObject(seen);
  });

  it('is told 499 of a client that left before there was an answer', async () => {
    const leaving = new AbortController();
    const infos = await ends(() => leaving.abort(), new Request(page, { signal: leaving.signal }));
    expect(infos).toEqual([expect.objectContaining({ statusCode: 499, error: expect.any(Error) })]);
  });

  it('is not told of what never came to PHP', async () => {
    expect(await ends(answer(200, []), new Request('http://a/none'))).toEqual([]);
  });
});

describe('errorPage', () => {
  const failure = new FcgiError('FCGI_ERR_SOCKET_CLOSED', 'gone');

  it('is given the error, and none for a path that leads nowhere', async () => {
    const seen: unknown[] = [];
    const errorPage = (statusCode: number, _request: Request, error: unknown): null => {
      seen.push([statusCode, error]);
      return null;
    };
    const get = handler((exchange) => exchange.fail(failure), { errorPage, onError: () => {} });
    await get(new Request(page));
    await get(new Request('http://a/none'));
    expect(seen).toEqual([
      [502, failure],
      [404, undefined],
    ]);
  });

  it.each<[string, unknown, RegExp]>([
    ['a string', '<h1>', /must return null, or \{ body/],
    ['a number', 7, /must return null, or \{ body/],
    ['an object without a body', {}, /must return null, or \{ body/],
    ['a body that is a number', { body: 7 }, /must return null, or \{ body/],
    ['a promise', async () => ({ body: 'late' }), /returned a promise/],
    ['a promise that fails', () => Promise.reject(new Error('late')), /returned a promise/],
    ['a type with a line break', { body: 'x', contentType: 'a/b\r\nX: 1' }, /contentType/],
  ])('that returns %s is an error that says so, and our own page goes out', async (_, nonsense, message) => {
    const errors: unknown[] = [];
    const get = handler((exchange) => exchange.fail(failure), {
      errorPage: () => (typeof nonsense === 'function' ? nonsense() : nonsense) as never,
      onError: (error) => void errors.push(error),
    });
    const response = await get(new Request(page));
    expect([response.status, await response.text()]).toEqual([502, '502 Bad Gateway\n']);
    await tick();
    expect(errors).toContainEqual(
      expect.objectContaining({ option: 'errorPage', message: expect.stringMatching(message) }),
    );
  });
});

describe('onError', () => {
  it('is told what the client was answered', async () => {
    const seen: unknown[] = [];
    const get = handler((exchange) => exchange.fail(new Error('no')), {
      onError: (_error, _request, statusCode) => void seen.push(statusCode),
    });
    await get(new Request(page));
    await tick();
    expect(seen).toEqual([502]);
  });

  it('is told by name of a script that PHP-FPM does not find, though the client gets no more than its 404', async () => {
    const fpm = await startFpm({ maxChildren: 1 });
    const pool = new Pool(fpm.address);
    const errors: unknown[] = [];
    const get = createFetchHandler(pool, {
      root: site.root,
      fpmRoot: '/not/there',
      onError: (error) => void errors.push(error),
    });
    const response = await get(new Request(page));
    expect([response.status, await response.text()]).toEqual([404, 'File not found.\n']);
    await tick();
    expect(errors).toEqual([
      expect.objectContaining({
        code: 'FCGI_ERR_SCRIPT_NOT_FOUND',
        hint: expect.stringContaining('/not/there/a.php'),
      }),
    ]);
    await pool.close();
    await fpm.stop();
  });
});

it('a client that is refused for load is told when to come back', async () => {
  const refused = new PoolError('FCGI_ERR_QUEUE_FULL', 'full', { facts: { retryAfter: 7 } });
  const response = await handler((exchange) => exchange.fail(refused), { onError: () => {} })(
    new Request(page),
  );
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '7']);
});

describe('where nobody has asked to be told', () => {
  afterEach(() => void vi.restoreAllMocks());

  function heard(): { message: string; code: string }[] {
    const all: { message: string; code: string }[] = [];
    vi.spyOn(process, 'emitWarning').mockImplementation(((message: string, { code }: { code: string }) => {
      all.push({ message, code });
    }) as never);
    createRequire(import.meta.url)('node:module').syncBuiltinESMExports();
    return all;
  }

  it('the process warns once of a cause, and says what to set', async () => {
    const warnings = heard();
    const refused = new FcgiError('FCGI_ERR_CONNECT', 'php-fpm is down', { facts: { hint: 'start it' } });
    const get = handler((exchange) => exchange.fail(refused));
    for (let i = 0; i < 3; i++) await get(new Request(page));
    expect(warnings).toEqual([
      { message: expect.stringContaining('php-fpm is down (start it)'), code: 'FCGI_ERR_CONNECT' },
    ]);
    expect(warnings[0]?.message).toContain('onError');
  });

  it('it warns again after a minute, and says how often it kept silent', () => {
    const all = heard();
    const warnings = new Warnings();
    const down = new FcgiError('FCGI_ERR_CONNECT', 'down');
    for (const at of [0, 1, 59_999, 60_000]) warnings.tell(down, at);
    warnings.tell(new Error('another'), 60_000);
    expect(all.map(({ code }) => code)).toEqual(['FCGI_ERR_CONNECT', 'FCGI_ERR_CONNECT', 'Error']);
    expect(all[1]?.message).toContain('2 more like it');
  });

  it('it does not warn of what a client did wrong', async () => {
    const warnings = heard();
    const get = handler(answer(200, []));
    expect((await get(new Request('http://a/a%00.php'))).status).toBe(400);
    expect((await get(new Request(page, { headers: { host: '' } }))).status).toBeGreaterThan(0);
    expect(warnings).toEqual([]);
  });

  it('a log that throws is warned of, and ends nothing', async () => {
    const warnings = heard();
    const get = handler((exchange) => exchange.fail(new Error('no')), {
      onError: () => {
        throw new Error('the log is full');
      },
      onEnd: () => {
        throw new TypeError('as well');
      },
    });
    expect((await get(new Request(page))).status).toBe(502);
    await tick();
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining('the log is full'),
      expect.stringContaining('as well'),
    ]);
  });
});
