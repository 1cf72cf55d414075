/** The status page over HTTP: what it tells, to whom, and that it costs nothing where nobody looks. */
import { channel, tracingChannel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { connect, createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type StatusOptions, statusHandler } from '../../../src/gateway/node.ts';
import { CHANNELS, Pool, Upstream } from '../../../src/index.ts';
import type { StatusReport } from '../../../src/observe/status/report.ts';
import { startFakeFpm } from '../../../src/testing/index.ts';
import { startFpm, waitFor } from '../../fpm/support/index.ts';
import { GET, gate, HEAD, text } from '../../pool/support.ts';
import { KEPT } from '../support.ts';

interface Page extends AsyncDisposable {
  readonly url: string;
  readonly close: () => void;
  json(): Promise<StatusReport>;
}

async function shown(fpm: Pool | Upstream, options: StatusOptions = {}): Promise<Page> {
  const handler = statusHandler(fpm, options);
  const server: Server = createServer((req, res) => handler(req, res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    url,
    close: () => handler.close(),
    json: async () => (await fetch(`${url}?json`)).json() as Promise<StatusReport>,
    async [Symbol.asyncDispose]() {
      handler.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function isListenedTo(): boolean {
  const { asyncEnd } = tracingChannel<unknown, never>(CHANNELS.request);
  const points = [CHANNELS.retry, CHANNELS.stderr, CHANNELS.serverState].map((name) => channel(name));
  return [asyncEnd, ...points].some((one) => one.hasSubscribers);
}

const FATAL = 'PHP message: PHP Fatal error:  Uncaught Error: <b>no</b> in /srv/a.php on line 3';

const junk = Object.fromEntries(Array.from({ length: 1100 }, (_, i) => [`a${i}`, '']));

describe('the status page', () => {
  it('has each figure of the pool, its connections, scripts and PHP messages as JSON', async () => {
    const held = gate();
    const arrived = gate();
    await using fpm = await startFakeFpm({
      workers: 1,
      script: async (request, response) => {
        if (request.params['SCRIPT_FILENAME'] === '/slow.php') {
          arrived.open();
          await held.opened;
        }
        await response.stderr(FATAL);
        await response.stdout(`${HEAD}ok`);
      },
    });
    await using pool = new Pool(fpm.address, { ...KEPT, connections: 1 });
    await using page = await shown(pool);
    const before = await page.json();
    expect(before).toMatchObject({ served: 0, queued: 0, connections: [], perSecond: null, fpm: [] });
    const secret = {
      ...GET,
      SCRIPT_FILENAME: '/slow.php',
      QUERY_STRING: 'token=s3cret',
      HTTP_COOKIE: 's3cret',
    };
    const slow = text(pool, { params: secret });
    const waiting = text(pool, { params: GET });
    await arrived.opened;
    const during = await page.json();
    expect(during).toMatchObject({ queued: 1, mostQueued: 1 });
    expect(during.connections).toEqual([
      expect.objectContaining({ server: fpm.address, state: 'busy', requests: 1, script: '/slow.php' }),
    ]);
    held.open();
    await Promise.all([slow, waiting]);
    const after = await page.json();
    expect(after.servers).toEqual([
      expect.objectContaining({ address: fpm.address, state: 'up', served: 2, busy: 0, idle: 1 }),
    ]);
    expect(after.scripts.map(({ script, requests }) => [script, requests])).toContainEqual(['/slow.php', 1]);
    expect(after.messages[0]).toMatchObject({
      level: 'fatal',
      message: 'Uncaught Error: <b>no</b>',
      file: '/srv/a.php',
      line: 3,
    });
    expect(JSON.stringify(after)).not.toContain('s3cret');
    // The same for people: nothing of it is markup.
    const people = await (await fetch(page.url)).text();
    expect(people).toContain('Uncaught Error: &lt;b&gt;no&lt;/b&gt;');
    expect(people).not.toContain('<b>no');
    expect(people).not.toContain('s3cret');
  });

  it('tells of what was sent again and what was proven, and of servers that are left alone', async () => {
    await using fpm = await startFakeFpm();
    const gone = 'unix:/nonexistent/fpm.sock';
    await using pool = new Upstream([{ address: gone, maxFails: 1 }, fpm.address]);
    await using page = await shown(pool);
    await page.json();
    for (let i = 0; i < 4; i++) await text(pool, { params: GET });
    const report = await page.json();
    expect(report.retries[0]).toMatchObject({ server: gone, executed: 'no', phase: 'connecting' });
    expect(report.proven).toMatchObject({ no: report.retries.length, unknown: 0 });
    expect(report.servers[0]).toMatchObject({ address: gone, state: 'failed', served: 0 });
    expect(report.servers[0]?.why).toContain('ENOENT');
    expect(report.states[0]).toMatchObject({ server: gone, previous: 'up', state: 'failed' });
  });

  it("shows php-fpm's own status, without waiting for it", async () => {
    await using fpm = await startFpm({ maxChildren: 2 });
    await using pool = new Pool(fpm.address);
    await using page = await shown(pool, { fpmStatus: '/status' });
    expect((await page.json()).fpm).toEqual([]);
    const report = await waitFor(async () => {
      const found = await page.json();
      return found.fpm.length > 0 && found;
    });
    expect(report.fpm[0]).toMatchObject({ uri: `${fpm.address};/status`, page: { pool: 'www' } });
  });

  it('listens from the first look to its close, and never before', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address);
    await using page = await shown(pool);
    expect(isListenedTo()).toBe(false);
    await text(pool, { params: GET });
    expect((await page.json()).scripts).toEqual([]);
    expect(isListenedTo()).toBe(true);
    await text(pool, { params: GET });
    expect((await page.json()).scripts).toHaveLength(1);
    page.close();
    expect(isListenedTo()).toBe(false);
  });

  it('knows the requests of its own pool only', async () => {
    await using fpm = await startFakeFpm();
    await using mine = new Pool(fpm.address);
    await using other = new Pool(fpm.address);
    await using page = await shown(mine);
    await page.json();
    await text(other, { params: GET });
    expect((await page.json()).scripts).toEqual([]);
  });

  it('sends its parts again and again to whoever has it open, and ends by close()', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address);
    await using page = await shown(pool);
    const response = await fetch(`${page.url}?events`);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    let received = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      received += decoder.decode(chunk, { stream: true });
      if (received.split('data: ').length > 2) page.close();
    }
    const first = /^data: (.*)$/m.exec(received)?.[1] ?? '';
    expect(Object.keys(JSON.parse(first).sections)).toEqual([
      'summary',
      'servers',
      'connections',
      'scripts',
      'messages',
      'retries',
      'closed',
      'fpm',
    ]);
  });
});

describe('who asks for it', () => {
  it('gets nothing that may be kept, framed, or sent elsewhere', async () => {
    await using pool = new Pool('127.0.0.1:9');
    await using page = await shown(pool);
    const { headers, status } = await fetch(page.url);
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    const nonce = /script-src 'nonce-([\w+/=]+)'/.exec(headers.get('content-security-policy') ?? '')?.[1];
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    const other = await fetch(page.url);
    expect(other.headers.get('content-security-policy')).not.toContain(nonce);
    // the bytes of a nonce may look like anything
    const document = (await other.text()).replace(/(?<=nonce=")[\w+/=]+/g, '');
    // Nothing is fetched from anywhere, and nothing needs more than the nonce.
    expect(document).not.toMatch(/\b(?:https?:)?\/\/[a-z]|\ssrc=|\sstyle=|\son\w+=/i);
    const json = await fetch(page.url, { headers: { Accept: 'application/json' } });
    expect(json.headers.get('content-type')).toBe('application/json');
    expect(json.headers.get('cache-control')).toBe('no-store');
  });

  it.each([
    ["another site's name", { Host: 'evil.example' }, 'GET', 403],
    ['a proxy between', { 'X-Forwarded-For': '127.0.0.1' }, 'GET', 403],
    // node keeps the first thousand
    ['a proxy and 1,100 headers', { Host: 'localhost', ...junk, 'X-Forwarded-For': '127.0.0.1' }, 'GET', 403],
    ['nothing', {}, 'POST', 405],
    ['nothing', {}, 'HEAD', 200],
  ] as const)(
    'is shown to nobody else, and only to be read: with %s',
    async (_name, headers, method, status) => {
      await using pool = new Pool('127.0.0.1:9');
      await using page = await shown(pool);
      const seen = await new Promise<{ status: number | undefined; length: number }>((resolve, reject) => {
        const outgoing = httpRequest(page.url, { headers, method }, (incoming) => {
          let length = 0;
          incoming.on('data', (chunk: Buffer) => {
            length += chunk.length;
          });
          incoming.once('end', () => resolve({ status: incoming.statusCode, length }));
        });
        outgoing.once('error', reject).end();
      });
      // Node 26 refuses more than a thousand by itself
      if (seen.status === 431 && Object.keys(headers).length > 1000) return;
      expect(seen.status).toBe(status);
      expect(seen.length > 0).toBe(method !== 'HEAD');
    },
  );

  it.each([
    ['evil.example', 'localhost', 403],
    ['localhost', 'evil.example', 200],
  ])(
    'over HTTP/2 goes by the name that counts for PHP: :authority %s, Host %s',
    async (authority, host, status) => {
      await using pool = new Pool('127.0.0.1:9');
      const handler = statusHandler(pool);
      const server = createHttp2Server(handler);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      try {
        const asked = client.request({ ':path': '/', ':authority': authority, host });
        const [headers] = await once(asked, 'response');
        expect(headers[':status']).toBe(status);
      } finally {
        client.destroy();
        server.close();
        handler.close();
      }
    },
  );

  it('is let in or kept out by `allow`, and passed on where there is somebody to pass to', async () => {
    await using pool = new Pool('127.0.0.1:9');
    await using open = await shown(pool, { allow: () => true });
    const from = { headers: { 'X-Forwarded-For': '10.0.0.7' } };
    expect((await fetch(open.url, from)).status).toBe(200);
    await using shut = await shown(pool, { allow: () => false });
    expect((await fetch(shut.url)).status).toBe(403);
    const handler = statusHandler(pool, { allow: () => false });
    let passed = 0;
    handler({ headers: {}, socket: {} } as never, {} as never, () => passed++);
    expect(passed).toBe(1);
  });

  it('is turned away where too many have it open, which ends no page of theirs', async () => {
    await using pool = new Pool('127.0.0.1:9');
    await using page = await shown(pool);
    const stop = new AbortController();
    const open = Array.from({ length: 16 }, () => fetch(`${page.url}?events`, { signal: stop.signal }));
    for (const response of await Promise.all(open)) expect(response.status).toBe(200);
    expect((await fetch(`${page.url}?events`)).status).toBe(503);
    stop.abort();
    await waitFor(async () => {
      const again = new AbortController();
      const { status } = await fetch(`${page.url}?events`, { signal: again.signal });
      again.abort();
      return status === 200;
    });
  });

  it.each([
    [{ hosts: 'x' }, 'hosts'],
    [{ hosts: ['http://x'] }, 'hosts'],
    [{ allow: true }, 'allow'],
    [{ fpmStatus: 'status' }, 'fpmStatus'],
    [{ path: '/x' }, 'path'],
  ])('reads of an option that cannot be: %j', (options, option) => {
    const pool = new Pool('127.0.0.1:9');
    expect(() => statusHandler(pool, options as never)).toThrow(expect.objectContaining({ option }));
    expect(() => statusHandler({} as never)).toThrow(expect.objectContaining({ option: 'fpm' }));
  });
});
