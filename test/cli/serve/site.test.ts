import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AccessLog } from '../../../src/cli/serve/access-log.ts';
import { openDocroot } from '../../../src/cli/serve/docroot.ts';
import { siteHandler } from '../../../src/cli/serve/site.ts';
import { tempDir } from '../../fpm/support/temp.ts';
import { waitFor } from '../../fpm/support/wait.ts';

const temp = tempDir();
const digits = '0123456789'.repeat(10);
writeFileSync(join(temp.path, 'a.txt'), digits);
writeFileSync(join(temp.path, 'empty.css'), '');
writeFileSync(join(temp.path, 'a%b &.json'), '{}');
writeFileSync(join(temp.path, '3f2a'), '<svg/>');
symlinkSync('3f2a', join(temp.path, 'logo.svg'));
mkdirSync(join(temp.path, 'folder'));

let server: Server;
let base: string;
let php: IncomingMessage[] = [];
let phpFails = false;
const failures: unknown[] = [];
const log = new PassThrough();
let lines = '';
log.on('data', (chunk: Buffer) => {
  lines += chunk.toString();
});

beforeAll(async () => {
  const site = {
    docroot: await openDocroot(temp.path, '.', []),
    index: 'index.php',
    hasFrontController: false,
  };
  const handler = siteHandler(
    site,
    (req, res) => {
      php.push(req);
      if (phpFails) throw new Error('a bug');
      if (req.url !== '/hang.php') res.end('PHP');
    },
    (error) => failures.push(error),
  );
  const accessLog = new AccessLog(log, () => new Date('2026-11-23T06:54:31.999Z'));
  server = createServer((req, res) => {
    accessLog.watch(req, res);
    handler(req, res);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  temp.remove();
});
beforeEach(() => {
  php = [];
  lines = '';
  phpFails = false;
});

describe('a file', () => {
  it('comes with its type, its length and a validator', async () => {
    const response = await fetch(`${base}/a.txt`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(response.headers.get('content-length')).toBe('100');
    expect(response.headers.get('etag')).toMatch(/^(W\/)?"/);
    expect(await response.text()).toBe(digits);
    expect(php).toEqual([]);
  });

  it('is not sent again to whoever has it', async () => {
    const etag = (await fetch(`${base}/a.txt`)).headers.get('etag') ?? '';
    // not fetch(): beside If-None-Match it sends Cache-Control: no-cache
    const again = get(`${base}/a.txt`, { headers: { 'if-none-match': etag } });
    const [response] = (await once(again, 'response')) as [IncomingMessage];
    response.resume();
    expect([response.statusCode, response.headers['content-length']]).toEqual([304, undefined]);
  });

  it('can be asked for in parts', async () => {
    const part = await fetch(`${base}/a.txt`, { headers: { range: 'bytes=5-9' } });
    expect([part.status, await part.text()]).toEqual([206, '56789']);
    expect(part.headers.get('content-range')).toBe('bytes 5-9/100');
    const beyond = await fetch(`${base}/a.txt`, { headers: { range: 'bytes=100-' } });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */100']);
    const suffix = await fetch(`${base}/a.txt`, { headers: { range: 'bytes=-1000' } });
    expect([suffix.status, suffix.headers.get('content-range')]).toEqual([206, 'bytes 0-99/100']);
    expect(suffix.headers.get('cache-control')).toBeNull();
  });

  it('has its type by the name that was asked for, not by the name a link leads to', async () => {
    const response = await fetch(`${base}/logo.svg`);
    expect([response.headers.get('content-type'), await response.text()]).toEqual([
      'image/svg+xml',
      '<svg/>',
    ]);
  });

  it('may be empty, and may have a strange name', async () => {
    const empty = await fetch(`${base}/empty.css`);
    expect([empty.status, empty.headers.get('content-length')]).toEqual([200, '0']);
    const strange = await fetch(`${base}/a%25b%20%26.json`);
    expect([strange.status, await strange.text()]).toEqual([200, '{}']);
  });

  it('HEAD has the head alone', async () => {
    const response = await fetch(`${base}/a.txt`, { method: 'HEAD' });
    expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([
      200,
      '100',
      '',
    ]);
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('%s is 405', async (method) => {
    const response = await fetch(`${base}/a.txt`, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});

describe('all else', () => {
  it('a script goes to PHP, whatever the method', async () => {
    expect(await (await fetch(`${base}/x.php/info?q`, { method: 'POST', body: 'a' })).text()).toBe('PHP');
    expect(php.map(({ method, url }) => [method, url])).toEqual([['POST', '/x.php/info?q']]);
  });

  it('a folder gets its slash, and nothing of the request in the page', async () => {
    const response = await fetch(`${base}/folder?<script>`, { redirect: 'manual' });
    expect([response.status, response.headers.get('location')]).toEqual([301, '/folder/?%3Cscript%3E']);
    expect(await response.text()).toBe('301 Moved Permanently\n');
  });

  it('nothing there is 404', async () => {
    const response = await fetch(`${base}/nothing`);
    expect([response.status, await response.text()]).toEqual([404, '404 Not Found\n']);
  });

  it('a bug is 500 and is told to nobody but us', async () => {
    phpFails = true;
    const response = await fetch(`${base}/x.php`);
    expect([response.status, await response.text()]).toEqual([500, '500 Internal Server Error\n']);
    expect(failures).toEqual([new Error('a bug')]);
  });
});

describe('the access log', () => {
  const said = (count: number): Promise<string[]> =>
    waitFor(() => lines.split('\n').length > count && lines.trimEnd().split('\n'), {
      what: `${count} lines`,
    });

  it("is nginx's combined format, then the seconds", async () => {
    const response = await fetch(`${base}/a.txt?x=1`, {
      headers: { referer: 'http://r/', 'user-agent': 'test' },
    });
    await response.text();
    const [line] = await said(1);
    expect(line).toMatch(
      /^127\.0\.0\.1 - - \[23\/Nov\/2026:06:54:31 \+0000\] "GET \/a\.txt\?x=1 HTTP\/1\.1" 200 (\d+) "http:\/\/r\/" "test" \d+\.\d{3}$/,
    );
    const bytes = Number(/ 200 (\d+) /.exec(line ?? '')?.[1]);
    // the body and its head
    expect(bytes).toBeGreaterThan(200);
    expect(bytes).toBeLessThan(600);
  });

  it('cannot be forged: quotes and control bytes are escaped', async () => {
    await fetch(`${base}/a"b`, { headers: { 'user-agent': 'x" \\ \t \u00e9' } });
    const [line] = await said(1);
    expect(line).toMatch(/"GET \/a(%22|\\x22)b HTTP\/1\.1" 404 /);
    expect(line).toMatch(/"x\\x22 \\x5C \\x09 \\xE9" [\d.]+$/);
  });

  it('a client that leaves before there is a head is 499', async () => {
    const leaving = new AbortController();
    const left = fetch(`${base}/hang.php`, { signal: leaving.signal }).catch(() => 'left');
    await waitFor(() => php.length === 1);
    leaving.abort();
    expect(await left).toBe('left');
    expect((await said(1))[0]).toContain('"GET /hang.php HTTP/1.1" 499 0 ');
  });

  it('a reader that stalls loses lines, not the service', async () => {
    const stalled = new PassThrough();
    const accessLog = new AccessLog(stalled);
    const logged = createServer((req, res) => {
      accessLog.watch(req, res);
      res.end();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => logged.once('listening', resolve));
    const url = `http://127.0.0.1:${(logged.address() as AddressInfo).port}/${'x'.repeat(8000)}`;
    for (let count = 0; count < 200; count += 1) await (await fetch(url)).text();
    // 200 lines of 8 kB: 1.6 MB
    expect(stalled.writableLength + stalled.readableLength).toBeLessThan(1_200_000);
    let text = '';
    stalled.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    await fetch(url);
    await waitFor(() => /^- \d+ lines lost/m.test(text), { what: 'a word about the lines lost' });
    const lost = Number(/^- (\d+) lines lost/m.exec(text)?.[1]);
    const kept = text.split('\n').filter((line) => line.startsWith('127.')).length;
    expect(lost + kept).toBe(201);
    logged.closeAllConnections();
    logged.close();
  });
});
