/** The gateway among the middlewares of npm: clients and middlewares see what they see of a plain handler. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGunzip, gunzipSync } from 'node:zlib';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { createHandler } from '../../../src/gateway/node.ts';
import { FakeDispatcher } from '../fake-dispatcher.ts';
import { tempSite } from '../temp-site.ts';
import { type Handler, middlewares, type Note, stacks } from './stacks.ts';

const site = tempSite({ 'a.php': '', 'page.html': '' });
afterAll(site.remove);
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

interface Page {
  readonly status: number;
  readonly fields: readonly string[];
  readonly pieces: readonly string[];
}

const html = ['Content-Type', 'text/html; charset=UTF-8', 'X-Powered-By', 'PHP/8.2'];
const text = '<p>caf\xc3\xa9 and so on</p>\n'.repeat(40);
const pages: Readonly<Record<string, Page>> = {
  'a page at once': {
    status: 200,
    fields: [...html, 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'],
    pieces: [text],
  },
  'a page in pieces': { status: 200, fields: html, pieces: [text, text, text] },
  'an error with bytes in its head': { status: 404, fields: [...html, 'X-Name', 'caf\xe9'], pieces: ['no'] },
  'a redirect without a body': { status: 302, fields: [...html, 'Location', '/b'], pieces: [] },
};

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** PHP says the page, and the gateway passes it on. */
function php({ status, fields, pieces }: Page): Handler {
  const dispatcher = new FakeDispatcher(async (exchange) => {
    exchange.head(status, [...fields]);
    for (const [i, piece] of pieces.entries()) {
      if (i > 0) await tick();
      exchange.data(Buffer.from(piece, 'latin1'));
    }
    if (pieces.length > 1) await tick();
    exchange.end();
  });
  return createHandler(dispatcher, { root: site.root });
}

/** The same by hand, as node's documentation has it. */
function plain({ status, fields, pieces }: Page): Handler {
  return async (request, response) => {
    response.statusCode = status;
    for (let i = 0; i < fields.length; i += 2) {
      const [name = '', value = ''] = fields.slice(i, i + 2);
      if (name === 'Set-Cookie') response.appendHeader(name, value);
      else response.setHeader(name, value);
    }
    const chunks = pieces.map((piece) => Buffer.from(piece, 'latin1'));
    // of a HEAD PHP sends no body, and no length
    if (request.method === 'HEAD') chunks.length = 0;
    else if (chunks.length < 2) response.setHeader('Content-Length', String(Buffer.concat(chunks).length));
    if (request.method === 'HEAD' && pieces.length > 1) {
      response.flushHeaders();
      await tick();
    }
    if (chunks.length < 2) {
      const [only] = chunks;
      if (only) response.end(only);
      else response.end();
      return;
    }
    for (const [i, chunk] of chunks.entries()) {
      if (i > 0) await tick();
      response.write(chunk);
    }
    await tick();
    response.end();
  };
}

interface Got {
  readonly status: number | undefined;
  readonly phrase: string | undefined;
  readonly head: readonly string[];
  readonly body: string;
}

async function ask(port: number, path: string, method: string): Promise<Got> {
  const headers = { 'Accept-Encoding': 'gzip', Cookie: 'c=3', Origin: 'http://other.example' };
  const request = http.request({ port, host: '127.0.0.1', path, method, headers, agent: false }).end();
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const body = response.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes;
  return {
    status: response.statusCode,
    phrase: response.statusMessage,
    head: headOf(response),
    body: body.toString('latin1'),
  };
}

// they differ from one response to the next
const moving =
  /^(date|x-response-time|etag|ratelimit-reset|set-cookie: (?:session\.sig|sid)|set-cookie: session)/i;

function headOf({ rawHeaders }: http.IncomingMessage): string[] {
  const all: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) all.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  return all.map((field) => (moving.test(field) ? field.replace(/[:=].*/s, '') : field)).sort();
}

interface Seen {
  readonly got: readonly Got[];
  readonly notes: readonly unknown[];
}

async function seen(
  stack: (typeof stacks)[string],
  handlers: (note: Note) => readonly Handler[],
  path = '/a.php',
): Promise<Seen> {
  const notes: unknown[] = [];
  const server = http
    .createServer(stack(handlers((note) => notes.push(settled(note)))))
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(async () => {
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  const got: Got[] = [];
  // again, as a cache answers then, and a session is known
  for (const method of ['GET', 'GET', 'HEAD']) {
    got.push(await ask(port, path, method));
    await tick();
  }
  return { got, notes };
}

/** Without what differs from one response to the next. */
function settled(note: unknown): unknown {
  return JSON.parse(
    JSON.stringify(note, (key, value) => (key === 'x-response-time' || key === 'date' ? 'moving' : value)),
  );
}

describe.each(Object.entries(stacks))('on %s', (_, stack) => {
  describe.each(Object.entries(middlewares))('%s in front', (_name, make) => {
    it.each(Object.entries(pages))(
      'sees, and lets out, of %s what it does of a plain handler',
      async (_page, page) => {
        const ours = await seen(stack, (note) => [make(note), php(page)]);
        const usual = await seen(stack, (note) => [make(note), plain(page)]);
        expect(ours).toEqual(usual);
        expect(ours.got[0]).toMatchObject({ status: page.status, body: page.pieces.join('') });
      },
    );
  });

  it('all of them at once let a page through, byte for byte', async () => {
    const page = pages['a page at once'] as Page;
    const all = Object.entries(middlewares).filter(([name]) => !/compression|apicache/.test(name));
    const { got } = await seen(stack, (note) => [...all.map(([, make]) => make(note)), php(page)]);
    expect(got.map(({ body }) => body)).toEqual([text, text, '']);
  });

  it.each(Object.entries(middlewares))('%s behind gets what is not PHP, untouched', async (_name, make) => {
    const page: Page = { status: 200, fields: html, pieces: [text] };
    const ours = await seen(stack, (note) => [php(page), make(note), plain(page)], '/page.html');
    expect(ours).toEqual(await seen(stack, (note) => [make(note), plain(page)], '/page.html'));
  });
});

/** The response of these handlers to a client that takes gzip. */
async function asked(handlers: Handler[]): Promise<http.IncomingMessage> {
  const server = http.createServer(stacks['connect']?.(handlers)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const request = http.get({ port, path: '/a.php', headers: { 'Accept-Encoding': 'gzip' }, agent: false });
  const [response] = await once(request, 'response');
  return response;
}

it.each(['compression 1.7', 'compression'])('each event comes at once through %s', async (name) => {
  const compression = middlewares[name]?.(() => {});
  const dispatcher = new FakeDispatcher((exchange) =>
    exchange.head(200, ['Content-Type', 'text/event-stream']),
  );
  const handlers = [compression, createHandler(dispatcher, { root: site.root })] as Handler[];
  const [response, exchange] = await Promise.all([asked(handlers), dispatcher.next()]);
  expect(response.headers['content-encoding']).toBe('gzip');
  const events = response.pipe(createGunzip()).setEncoding('utf8');
  for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
    exchange.data(event);
    expect(await once(events, 'data')).toEqual([event]);
  }
  exchange.end();
});

it.each(['compression 1.7', 'compression'])(
  'a client that is slow again and again leaves no listeners on %s',
  async (name) => {
    const warnings: Error[] = [];
    const hear = (warning: Error) => void warnings.push(warning);
    process.on('warning', hear);
    closing.push(() => process.off('warning', hear));
    const compression = middlewares[name]?.(() => {});
    const piece = randomBytes(65_536);
    let pauses = 0;
    const dispatcher = new FakeDispatcher(async (exchange) => {
      exchange.head(200, ['Content-Type', 'text/html']);
      while (pauses < 30) {
        exchange.data(piece);
        if (exchange.paused) pauses++;
        await exchange.resumed();
      }
      exchange.end();
    });
    const php = createHandler(dispatcher, { root: site.root, responseBuffering: 0 });
    const handlers = [compression, php] as Handler[];
    const response = await asked(handlers);
    const page = response.pipe(createGunzip());
    page.resume();
    await once(page, 'end');
    await tick();
    expect(pauses).toBe(30);
    expect(warnings).toEqual([]);
  },
);

it('a write() that does not say whether to go on is no reason to wait', async () => {
  const silent = middlewares['one whose write() does not say whether to go on']?.(() => {});
  const dispatcher = new FakeDispatcher((exchange) =>
    exchange.head(200, ['Content-Type', 'text/event-stream']),
  );
  const handlers = [silent, createHandler(dispatcher, { root: site.root })] as Handler[];
  const [response, exchange] = await Promise.all([asked(handlers), dispatcher.next()]);
  for (const piece of ['one', 'two']) {
    exchange.data(piece);
    expect(String(await once(response, 'data'))).toBe(piece);
    expect(exchange.paused).toBe(false);
  }
  exchange.end();
});
