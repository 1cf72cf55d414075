import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Pool } from '../../src/pool/pool.ts';
import { startFakeFpm } from '../../src/testing/index.ts';
import { lookupMock } from '../connection/support.ts';
import { freePort, tempDir } from '../fpm/support/temp.ts';
import { answer, ended, GET, gate, rawServer, text } from './support.ts';

function answering(path: string): Server {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => socket.write(answer()));
  });
  return server.listen(path);
}

describe('while php-fpm is not there, requests wait for it inside connectTimeout', () => {
  it('no such socket yet: it is served as soon as there is one', async () => {
    using folder = tempDir();
    const path = join(folder.path, 's');
    await using pool = new Pool(`unix:${path}`);
    const waiting = ended(pool, { params: GET });
    await expect(
      Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 50, 'waits'))]),
    ).resolves.toBe('waits');
    const server = answering(path);
    expect(await waiting).toMatchObject({ attempts: 1 });
    await pool.close();
    server.close();
  });

  it('refused, as the socket is a dead one: it is served as soon as somebody listens', async () => {
    const port = await freePort();
    await using pool = new Pool(`127.0.0.1:${port}`);
    const waiting = text(pool, { params: GET });
    await expect(
      Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 50, 'waits'))]),
    ).resolves.toBe('waits');
    const server = createServer((socket) => socket.on('data', () => socket.write(answer()))).listen(
      port,
      '127.0.0.1',
    );
    expect(await waiting).toBe('ok');
    await pool.close();
    server.close();
  });

  it.each([
    ['no such socket', () => 'unix:/nowhere/at/all.sock', 'ENOENT', /no such socket/],
    ['nobody listens', async () => `127.0.0.1:${await freePort()}`, 'ECONNREFUSED', /nothing listens/],
  ])(
    'beyond it they fail with a code that says so, and the likely cause: %s',
    async (_, address, errno, hint) => {
      await using pool = new Pool(await address(), { connectTimeout: 100 });
      const begun = performance.now();
      await expect(pool.request({ params: GET })).rejects.toMatchObject({
        code: 'FCGI_ERR_CONNECT_TIMEOUT',
        phase: 'connecting',
        executed: 'no',
        hint: expect.stringMatching(hint),
        cause: { cause: { code: errno } },
      });
      expect(performance.now() - begun).toBeLessThan(1_000);
    },
  );

  it('connectTimeout 0: one try, and its error', async () => {
    await using pool = new Pool('unix:/nowhere/at/all.sock', { connectTimeout: 0 });
    await expect(pool.request({ params: GET })).rejects.toMatchObject({
      code: 'FCGI_ERR_CONNECT',
      cause: { code: 'ENOENT' },
    });
  });
});

it('its container restarts, and the name is gone meanwhile: it is served once it is back', async () => {
  await using fpm = await startFakeFpm({ transport: 'tcp' });
  const [host = '', port] = fpm.address.split(':');
  let gone = false;
  const asked = gate();
  const lookup = lookupMock(() => {
    if (!gone) return [{ address: host, family: 4 }];
    asked.open();
    return Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
  });
  try {
    await using pool = new Pool(`fpm.test:${port}`, { keepalive: 0 });
    expect(await text(pool, { params: GET })).toBe('ok');
    gone = true;
    const waiting = text(pool, { params: GET });
    await asked.opened;
    gone = false;
    expect(await waiting).toBe('ok');
  } finally {
    lookup.mockRestore();
  }
});

describe('where waiting would not help, the error comes at once', () => {
  const soon = async (address: string): Promise<unknown> => {
    await using pool = new Pool(address, { connectTimeout: 60_000 });
    return pool.request({ params: GET }).catch((error: unknown) => error);
  };

  it('a directory', async () => {
    using folder = tempDir();
    const path = join(folder.path, 'd');
    mkdirSync(path);
    expect(await soon(`unix:${path}`)).toMatchObject({
      code: 'FCGI_ERR_CONNECT',
      executed: 'no',
      hint: expect.stringContaining('a directory, not a socket'),
    });
  });

  it('a file', async () => {
    using folder = tempDir();
    const path = join(folder.path, 'f');
    writeFileSync(path, '');
    expect(await soon(`unix:${path}`)).toMatchObject({
      code: 'FCGI_ERR_CONNECT',
      hint: expect.stringContaining('a file, not a socket'),
    });
    rmSync(path);
  });

  it('a path through a file', async () => {
    using folder = tempDir();
    writeFileSync(join(folder.path, 'f'), '');
    expect(await soon(`unix:${join(folder.path, 'f', 's')}`)).toMatchObject({
      code: 'FCGI_ERR_CONNECT',
      cause: { code: 'ENOTDIR' },
      hint: expect.stringContaining('a part of the path is a file'),
    });
  });

  it('a link that leads back to itself', async () => {
    using folder = tempDir();
    const path = join(folder.path, 'l');
    symlinkSync(path, path);
    expect(await soon(`unix:${path}`)).toMatchObject({
      code: 'FCGI_ERR_CONNECT',
      hint: expect.stringContaining('a link'),
    });
  });

  it('a host that does not exist', async () => {
    // RFC 6761: a name below .invalid never resolves. Without any resolver the answer is EAI_AGAIN, which may pass.
    await using pool = new Pool('php.invalid:9000', { connectTimeout: 2_000 });
    await expect(pool.request({ params: GET })).rejects.toMatchObject({
      code: expect.stringMatching(/^FCGI_ERR_CONNECT(_TIMEOUT)?$/),
      hint: expect.stringContaining('php.invalid does not resolve'),
    });
  });
});

it('those in the queue do not wait one connectTimeout after the other', async () => {
  await using pool = new Pool('unix:/nowhere/at/all.sock', { connections: 1, connectTimeout: 150 });
  const begun = performance.now();
  const all = await Promise.allSettled(Array.from({ length: 10 }, () => pool.request({ params: GET })));
  expect(performance.now() - begun).toBeLessThan(1_000);
  for (const one of all)
    expect(one).toMatchObject({ status: 'rejected', reason: { code: 'FCGI_ERR_CONNECT_TIMEOUT' } });
  expect(pool.stats).toMatchObject({ connected: 0, busy: 0, queued: 0 });
});

it('the pool serves again when the server is back', async () => {
  using folder = tempDir();
  const path = join(folder.path, 's');
  await using pool = new Pool(`unix:${path}`, { connectTimeout: 50 });
  await expect(pool.request({ params: GET })).rejects.toMatchObject({ code: 'FCGI_ERR_CONNECT_TIMEOUT' });
  const server = answering(path);
  expect(await text(pool, { params: GET })).toBe('ok');
  await pool.close();
  server.close();
});

it('a server that accepts and says nothing is not a failed connect', async () => {
  await using server = await rawServer(() => {});
  await using pool = new Pool(server.address, { connectTimeout: 50, headersTimeout: 200 });
  await expect(pool.request({ params: GET })).rejects.toMatchObject({
    code: 'FCGI_ERR_HEADERS_TIMEOUT',
    phase: 'waiting',
    executed: 'unknown',
  });
});
