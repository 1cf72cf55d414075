import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { FcgiError, type FcgiErrorCode } from '../../src/errors.ts';
import { type Adapter, type AnyOptions, type Ask, adapters, type Client, type Opened } from './adapters.ts';
import { answer, FakeDispatcher, type Play } from './fake-dispatcher.ts';
import { tempSite } from './temp-site.ts';

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

const files = {
  'index.php': '',
  'a.php': '',
  'sub/index.php': '',
  'empty/x.txt': '',
  'page.html': '<p>',
  'app.php': '',
};

interface Bench {
  readonly client: Client;
  readonly php: FakeDispatcher;
  readonly root: string;
  readonly errors: unknown[];
  /** The response as far as it came; `whole` is false where it was cut short, be it before its head was out. */
  ask(
    ask: Ask | string,
  ): Promise<{ status: number; headers: Record<string, unknown>; text: string; whole: boolean }>;
}

async function bench(adapter: Adapter, play?: Play, options: AnyOptions = {}): Promise<Bench> {
  const site = tempSite(files);
  const php = new FakeDispatcher(play);
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const client = await adapter.serve(php, { root: site.root, onError, ...options });
  open.push(() => client.close(), site.remove);
  return {
    client,
    php,
    root: site.root,
    errors,
    async ask(given) {
      const chunks: Buffer[] = [];
      let opened: Opened | null = null;
      let whole = true;
      try {
        opened = await client.open(typeof given === 'string' ? { path: given } : given);
        for await (const chunk of opened.body) chunks.push(Buffer.from(chunk));
      } catch {
        whole = false;
      }
      const { status = 0, headers = {} } = opened ?? {};
      return { status, headers, text: Buffer.concat(chunks).toString('latin1'), whole };
    },
  };
}

/** Of a body that is not as long as its Content-Length. */
const told = expect.objectContaining({
  code: 'FCGI_ERR_CONTENT_LENGTH',
  executed: 'yes',
  hint: expect.stringContaining('zlib.output_compression'),
});

const letters = Buffer.from('abcdefghij'.repeat(20_000));

describe.each(adapters)('through $name', (adapter) => {
  it('a client gets status, headers and body as PHP sent them', async () => {
    const { ask } = await bench(
      adapter,
      answer(404, ['Content-Type', 'text/x; a=b', 'X-A', '1', 'X-Powered-By', 'PHP'], 'gone', 'Not Here'),
    );
    const got = await ask('/a.php');
    expect(got).toMatchObject({ status: 404, text: 'gone', whole: true });
    expect(got.headers).toMatchObject({ 'content-type': 'text/x; a=b', 'x-a': '1', 'x-powered-by': 'PHP' });
  });

  it.each([
    ['at once', false],
    ['late', true],
  ])("a header's bytes are PHP's, whatever they mean, in a page that comes %s", async (_, isLate) => {
    const { ask } = await bench(adapter, async (exchange) => {
      exchange.head(200, ['X-A', 'caf\xe9']);
      if (isLate) await new Promise((resolve) => setImmediate(resolve));
      exchange.data('page');
      exchange.end();
    });
    const got = await ask('/a.php');
    expect(got.text).toBe('page');
    expect(got.headers['x-a']).toBe(adapter.latin1Heads ? 'caf\xe9' : 'caf\xc3\xa9');
  });

  it.each([
    ['as a whole', [], false, 'GET'],
    ['as a whole, with a length', ['Content-Length', '4'], false, 'GET'],
    ['late', [], true, 'GET'],
    ['late, with a length', ['Content-Length', '4'], true, 'GET'],
    ['not at all, for HEAD', ['Content-Length', '4'], false, 'HEAD'],
  ] as const)(
    'the name of a download puts no header into the response, whatever its bytes: %s',
    async (_, more, isLate, method) => {
      // node would make a line's end of the first two characters
      const name = Buffer.from('\u010d\u010aX-Evil: 1; \u65e5.txt').toString('latin1');
      const { ask } = await bench(adapter, async (exchange) => {
        exchange.head(200, [...more, 'Content-Disposition', `attachment; filename="${name}"`, 'X-A', '1']);
        if (isLate) await new Promise((resolve) => setImmediate(resolve));
        exchange.data('page');
        exchange.end();
      });
      const got = await ask({ path: '/a.php', method });
      expect([got.whole, got.status, got.text]).toEqual([true, 200, method === 'HEAD' ? '' : 'page']);
      expect(got.headers).not.toHaveProperty('x-evil');
      expect(got.headers['x-a']).toBe('1');
      const ascii = `attachment; filename="_X-Evil: 1; _.txt"; filename*=UTF-8''%C4%8D%C4%8AX-Evil%3A%201%3B%20%E6%97%A5.txt`;
      const expected = adapter.asciiNames ? ascii : `attachment; filename="${name}"`;
      expect(got.headers['content-disposition']).toBe(expected);
    },
  );

  it('cookies stay apart, other repeated headers keep all their values', async () => {
    const raw = [
      'Set-Cookie',
      'a=1; Expires=Thu, 01 Jan 1970',
      'Vary',
      'a',
      'Set-Cookie',
      'b=2',
      'Vary',
      'b',
    ];
    const { ask } = await bench(adapter, answer(200, raw));
    const { headers } = await ask('/a.php');
    expect(headers['set-cookie']).toEqual(['a=1; Expires=Thu, 01 Jan 1970', 'b=2']);
    expect(headers['vary']).toBe('a, b');
  });

  it('PHP gets the params of the request, and those configured over them', async () => {
    const { ask, php, root } = await bench(adapter, undefined, {
      fpmRoot: '/there',
      params: (request: { method: string }) => ({ HTTP_X_A: 'mine', SEEN: request.method }),
    });
    await ask({
      path: '/a.php/b%20c?d=%20',
      headers: { 'x-a': 'theirs', 'x-b': 'b', proxy: 'evil', x_c: 'alias' },
    });
    expect(root).not.toBe('/there');
    expect(php.params).toMatchObject({
      REQUEST_METHOD: 'GET',
      SCRIPT_FILENAME: '/there/a.php',
      DOCUMENT_ROOT: '/there',
      SCRIPT_NAME: '/a.php',
      PATH_INFO: '/b c',
      QUERY_STRING: 'd=%20',
      REQUEST_URI: '/a.php/b%20c?d=%20',
      HTTP_X_A: 'mine',
      HTTP_X_B: 'b',
      SEEN: 'GET',
    });
    expect(php.params).not.toHaveProperty('HTTP_PROXY');
    expect(php.params).not.toHaveProperty('HTTP_X_C');
    expect(php.params).not.toHaveProperty('CONTENT_LENGTH');
    expect(php.params['SERVER_NAME']).toBe('127.0.0.1');
    expect(php.params['HTTP_HOST']).toMatch(/^127\.0\.0\.1/);
  });

  it('a body with Content-Length streams to PHP, byte for byte', async () => {
    const { ask, php } = await bench(adapter, async (exchange) => {
      const body = await exchange.body();
      answer(200, [], String(body.equals(letters)))(exchange);
    });
    const got = await ask({ path: '/a.php', method: 'POST', body: letters });
    expect(got.text).toBe('true');
    expect(php.params['CONTENT_LENGTH']).toBe(String(letters.length));
  });

  it.each([
    ['in memory', 1_000_000],
    ['in a file', 1000],
  ])('a body of unknown length is counted %s before PHP is asked', async (_, spoolMemory) => {
    const spoolFolder = mkdtempSync(join(tmpdir(), 'fastcgi-pool-spool-'));
    open.push(() => rmSync(spoolFolder, { recursive: true }));
    const { ask, php } = await bench(
      adapter,
      async (exchange) => {
        const body = await exchange.body();
        answer(200, [], String(body.equals(letters)))(exchange);
      },
      { spoolMemory, spoolFolder },
    );
    const pieces = [letters.subarray(0, 900), letters.subarray(900, 70_000), letters.subarray(70_000)];
    expect((await ask({ path: '/a.php', method: 'POST', body: pieces })).text).toBe('true');
    expect(php.params['CONTENT_LENGTH']).toBe(String(letters.length));
    expect(readdirSync(spoolFolder)).toEqual([]);
  });

  it.each([
    ['with Content-Length', letters],
    ['of unknown length', [letters, letters]],
  ])('a body %s that is larger than maxBodySize is 413, and PHP is not asked', async (_, body) => {
    const { ask, php } = await bench(adapter, undefined, { maxBodySize: letters.length - 1 });
    const got = await ask({ path: '/a.php', method: 'POST', body });
    expect(got).toMatchObject({ status: 413, text: '413 Payload Too Large\n' });
    expect(php.exchanges).toHaveLength(0);
  });

  it('a body of just maxBodySize is taken', async () => {
    const { ask } = await bench(adapter, undefined, { maxBodySize: letters.length });
    expect((await ask({ path: '/a.php', method: 'POST', body: letters })).status).toBe(200);
    expect((await ask({ path: '/a.php', method: 'POST', body: [letters] })).status).toBe(200);
  });

  it("HEAD has PHP's Content-Length and no body, whatever PHP sends", async () => {
    const { ask } = await bench(adapter, answer(200, ['Content-Length', '5'], 'hello'));
    const got = await ask({ path: '/a.php', method: 'HEAD' });
    expect(got).toMatchObject({ status: 200, text: '', whole: true });
    expect(got.headers['content-length']).toBe('5');
  });

  it.each([204, 205, 304])('%i has no body, whatever PHP sends', async (status) => {
    const { ask } = await bench(adapter, answer(status, ['X-A', '1', 'Content-Length', '5'], 'hello'));
    const got = await ask('/a.php');
    expect(got).toMatchObject({ status, text: '', whole: true });
    expect(got.headers['x-a']).toBe('1');
  });

  it("headers about PHP's own connection do not pass, nor those that Connection names", async () => {
    const raw = ['Connection', 'close, X-Hop', 'Keep-Alive', '5', 'Transfer-Encoding', 'chunked', 'TE', 'x'];
    raw.push(
      'Trailer',
      'x',
      'Upgrade',
      'x',
      'Proxy-Connection',
      'x',
      'X-Hop',
      '1',
      'X-Accel-Redirect',
      '/x',
      'X-A',
      '1',
    );
    const { ask } = await bench(adapter, answer(200, raw, '5\r\nhello\r\n0\r\n\r\n'));
    const { headers, text, whole } = await ask('/a.php');
    expect({ text, whole }).toEqual({ text: '5\r\nhello\r\n0\r\n\r\n', whole: true });
    expect(headers['x-a']).toBe('1');
    for (const name of ['upgrade', 'te', 'trailer', 'proxy-connection', 'x-hop', 'x-accel-redirect']) {
      expect(headers).not.toHaveProperty(name);
    }
    expect(headers['keep-alive']).not.toBe('5');
  });

  it('a header whose name HTTP does not have is dropped, told, and costs no page', async () => {
    const raw = ['X-Gr\xc3\xb6\xc3\x9fe', '1', 'X-A', '1', 'X[1]', '2', 'X(2)', '3'];
    const { ask, errors } = await bench(adapter, answer(200, raw, 'page'));
    const { status, headers, text, whole } = await ask('/a.php');
    expect({ status, text, whole }).toEqual({ status: 200, text: 'page', whole: true });
    const message = expect.stringContaining('"X-Größe"');
    expect(errors).toMatchObject([{ code: 'FCGI_ERR_HEAD_INVALID', executed: 'yes', message }]);
    expect(Object.keys(headers).filter((name) => /^x(?!-powered-by)/.test(name))).toEqual(['x-a']);
  });

  it('a body shorter than its Content-Length is never a whole page', async () => {
    const { ask, errors } = await bench(adapter, answer(200, ['Content-Length', '10'], 'hello'));
    const { status, whole } = await ask('/a.php');
    // what has come all at once can still be answered
    expect(status === 502 || !whole).toBe(true);
    expect(errors).toEqual([told]);
    expect(errors).toMatchObject([{ server: 'unix:/fake', attempts: 1 }]);
  });

  it('a body that ends short of its Content-Length when some of it is out breaks off', async () => {
    const { client, php, errors } = await bench(adapter, (exchange) => {
      exchange.head(200, ['Content-Length', '10']);
      exchange.data('hello');
    });
    const { body } = await client.open({ path: '/a.php' });
    await expect(async () => {
      for await (const chunk of body) if (String(chunk).includes('hello')) php.exchanges[0]?.end();
    }).rejects.toThrow();
    expect(errors).toEqual([told]);
  });

  it('a body longer than its Content-Length is cut there, and the log told', async () => {
    const { ask, errors } = await bench(adapter, (exchange) => {
      exchange.head(200, ['Content-Length', '5']);
      exchange.data('hel');
      exchange.data('lo, HTTP/1.1 200 OK');
      exchange.data('and more');
      exchange.end();
    });
    expect(await ask('/a.php')).toMatchObject({ text: 'hello', whole: true });
    expect(errors).toEqual([told]);
  });

  it('output without end beyond a Content-Length is stopped', async () => {
    const { ask, php } = await bench(adapter, async (exchange) => {
      exchange.head(200, ['Content-Length', '5']);
      for (let i = 0; i < 1000 && !exchange.aborted; i++) exchange.data(letters);
    });
    expect(await ask('/a.php')).toMatchObject({ text: 'abcde', whole: true });
    expect(php.exchanges[0]?.aborted).toBe(true);
  });

  it.each([
    ['two that differ', ['Content-Length', '3', 'Content-Length', '5']],
    ['no number', ['Content-Length', '5, 5']],
    ['a sign', ['Content-Length', '-5']],
    ['hex', ['Content-Length', '0x5']],
  ])('a Content-Length of PHP that is nonsense (%s) is not passed on', async (_, raw) => {
    const { ask } = await bench(adapter, answer(200, raw, 'hello'));
    const { headers, text, whole } = await ask('/a.php');
    expect({ text, whole }).toEqual({ text: 'hello', whole: true });
    expect(headers['content-length']).toBeOneOf([undefined, '5']);
  });

  it('control bytes in a header of PHP become blanks', async () => {
    const { ask } = await bench(adapter, answer(200, ['X-A', 'a\x01b\x7fc\nd']));
    expect((await ask('/a.php')).headers['x-a']).toBe('a b c d');
  });

  it.each<[FcgiErrorCode, number]>([
    ['FCGI_ERR_CONNECT', 502],
    ['FCGI_ERR_SOCKET_CLOSED', 502],
    ['FCGI_ERR_HEAD_MISSING', 502],
    ['FCGI_ERR_HEAD_TOO_LARGE', 502],
    ['FCGI_ERR_UNKNOWN_ROLE', 502],
    ['FCGI_ERR_CONNECT_TIMEOUT', 504],
    ['FCGI_ERR_HEADERS_TIMEOUT', 504],
    ['FCGI_ERR_QUEUE_FULL', 503],
    ['FCGI_ERR_QUEUE_TIMEOUT', 503],
    ['FCGI_ERR_OVERLOADED', 503],
    ['FCGI_ERR_CLOSED', 503],
    ['FCGI_ERR_PARAM_TOO_LARGE', 431],
  ])('%s before the head is %i, and the page does not say why', async (code, status) => {
    const reason = new FcgiError(code, 'secret /srv/path');
    const { ask, errors } = await bench(adapter, (exchange) => exchange.fail(reason));
    const got = await ask('/a.php');
    expect(got.status).toBe(status);
    expect(got.text).toMatch(/^\d{3} [A-Z][A-Za-z ]+\n$/);
    expect(got.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(got.headers['retry-after']).toBe(status === 503 ? '1' : undefined);
    expect(errors).toEqual([reason]);
  });

  it('a failure after the head breaks the response off', async () => {
    const reason = new FcgiError('FCGI_ERR_SOCKET_RESET', 'worker died');
    const { client, php, errors } = await bench(adapter, (exchange) => {
      exchange.head(200);
      exchange.data('half a page');
    });
    const { status, body } = await client.open({ path: '/a.php' });
    expect(status).toBe(200);
    await expect(async () => {
      for await (const chunk of body) if (String(chunk).includes('half')) php.exchanges[0]?.fail(reason);
    }).rejects.toThrow();
    expect(errors).toEqual([reason]);
  });

  it.each([600, 999])('the status %i passes where the protocol has it, else it is 502', async (status) => {
    const { ask, errors } = await bench(adapter, async (exchange) => {
      exchange.head(status, [], 'Odd');
      // the head is out, or refused, before the rest
      await new Promise((resolve) => setImmediate(resolve));
      exchange.data('page');
      exchange.end();
    });
    expect(await ask('/a.php')).toMatchObject({ status: adapter.anyStatus ? status : 502, whole: true });
    expect(errors).toHaveLength(adapter.anyStatus ? 0 : 1);
  });

  it.each<[string, Ask, string[]]>([
    ['came at once', { path: '/a.php' }, []],
    ['came at once with its length', { path: '/a.php' }, ['Content-Length', '4']],
    ['was asked for by HEAD', { path: '/a.php', method: 'HEAD' }, []],
  ])('a status that the protocol does not have is 502 also where the page %s', async (_, asked, raw) => {
    const { ask } = await bench(adapter, answer(999, raw, 'page'));
    expect(await ask(asked)).toMatchObject({ status: adapter.anyStatus ? 999 : 502, whole: true });
  });

  it('an interim status of PHP is 502', async () => {
    const { ask } = await bench(adapter, answer(103, ['Link', '</a>']));
    expect((await ask('/a.php')).status).toBe(502);
  });

  it.each(['GET', 'HEAD'])('a client that leaves before the head frees PHP: %s', async (method) => {
    const { client, php, errors } = await bench(adapter, () => {});
    const asked = php.next();
    await client.leaveAfter({ path: '/a.php', method }, asked);
    await (await asked).gone;
    expect(errors).toEqual([]);
  });

  it('a client that leaves in the middle of a page frees PHP', async () => {
    const { client, php, errors } = await bench(adapter, (exchange) => {
      exchange.head(200);
      exchange.data('half a page');
    });
    const asked = php.next();
    const response = await client.open({ path: '/a.php' });
    response.body.on('error', () => {});
    response.leave();
    await (await asked).gone;
    expect(errors).toEqual([]);
  });

  it('a client that reads slowly holds PHP back, and gets every byte', async () => {
    const size = 40 * 1024 * 1024;
    let most = 0;
    const { client, php } = await bench(adapter, async (exchange) => {
      exchange.head(200);
      for (let sent = 0; sent < size && !exchange.aborted; sent += 65_536) {
        exchange.data(Buffer.alloc(65_536, 'x'));
        most = sent;
        await exchange.resumed();
      }
      exchange.end();
    });
    const asked = php.next();
    const { body } = await client.open({ path: '/a.php' });
    const exchange = await asked;
    await expect.poll(() => exchange.paused).toBe(true);
    expect(most).toBeLessThan(size / 2);
    let got = 0;
    for await (const chunk of body) got += chunk.length;
    expect(got).toBe(size);
  });

  it('STDERR goes to onStderr, never into the page', async () => {
    const heard: string[] = [];
    const { ask } = await bench(
      adapter,
      (exchange) => {
        exchange.request.onStderr?.(Buffer.from('PHP Warning'));
        answer(200, [], 'page')(exchange);
      },
      { onStderr: (chunk: Uint8Array) => heard.push(String(chunk)) },
    );
    expect((await ask('/a.php')).text).toBe('page');
    expect(heard).toEqual(['PHP Warning']);
  });

  it.each([
    ['/', '/index.php', ''],
    ['/sub/', '/sub/index.php', ''],
    ['/a.php', '/a.php', ''],
    ['/a.php/', '/a.php', '/'],
    ['/sub/index.php/x.php', '/sub/index.php', '/x.php'],
  ])('%s is answered by %s', async (path, scriptName, pathInfo) => {
    const { ask, php } = await bench(adapter);
    expect((await ask(path)).text).toBe('ok');
    expect(php.params['SCRIPT_NAME']).toBe(scriptName);
    expect(php.params['PATH_INFO'] ?? '').toBe(pathInfo);
  });

  it.each(['/page.html', '/missing.php', '/missing', '/empty/', '/empty', '/page.html/x.php', '/a.PHP'])(
    "%s is not PHP's",
    async (path) => {
      const { ask, php } = await bench(adapter);
      expect(await ask(path)).toMatchObject({ status: 404, text: '404 Not Found\n' });
      expect(php.exchanges).toHaveLength(0);
    },
  );

  it('a folder without its slash is redirected to it, query and all', async () => {
    const { ask } = await bench(adapter);
    const got = await ask('/sub?a=%20b');
    expect(got.status).toBe(301);
    expect(got.headers['location']).toBe('/sub/?a=%20b');
  });

  it('the front controller gets what is neither script nor file', async () => {
    const { ask, php } = await bench(adapter, undefined, { frontController: '/app.php' });
    for (const path of ['/missing', '/missing.php', '/empty/', '/blog/post?x']) {
      expect((await ask(path)).text).toBe('ok');
      expect(php.exchanges.at(-1)?.params).toMatchObject({ SCRIPT_NAME: '/app.php', REQUEST_URI: path });
    }
    expect((await ask('/page.html')).status).toBe(404);
    await ask('/a.php');
    expect(php.exchanges.at(-1)?.params['SCRIPT_NAME']).toBe('/a.php');
  });

  it('a bad path is 400', async () => {
    const { ask, errors } = await bench(adapter);
    expect((await ask('/a%00.php')).status).toBe(400);
    expect((await ask('/a.php/%2')).status).toBe(400);
    expect(errors).toHaveLength(2);
  });

  it('params that cannot be made are 500, and the log is told', async () => {
    const { ask, errors } = await bench(adapter, undefined, {
      params: () => {
        throw new Error('my own mistake');
      },
    });
    expect((await ask('/a.php')).status).toBe(500);
    expect(errors).toEqual([expect.objectContaining({ message: 'my own mistake' })]);
  });

  it.each<[string, () => unknown]>([
    ['a promise', async () => ({ REMOTE_USER: 'ada' })],
    ['a promise that fails', () => Promise.reject(new Error('late'))],
    ['a Map', () => new Map([['REMOTE_USER', 'ada']])],
    ['a text', () => 'REMOTE_USER=ada'],
  ])('%s in place of params is 500 and told by name: PHP never runs without them', async (_, params) => {
    const { ask, errors, php } = await bench(adapter, undefined, { params } as AnyOptions);
    expect((await ask('/a.php')).status).toBe(500);
    expect(errors).toEqual([expect.objectContaining({ code: 'FCGI_ERR_INVALID_ARG', option: 'params' })]);
    expect(php.exchanges).toEqual([]);
  });
});
