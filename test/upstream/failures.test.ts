/** One of several servers fails, each time in another way: what it costs, and that it is left alone. */
import { describe, expect, it } from 'vitest';
import { Upstream } from '../../src/index.ts';
import { type FakeFpm, startFakeFpm } from '../../src/testing/index.ts';
import { tempDir, waitFor } from '../fpm/support/index.ts';
import { GET, gate, HEAD, rawServer, sayingServer } from '../pool/support.ts';
import { record, STDOUT } from '../testing/support/wire.ts';
import { answering, ask, askAtOnce, askInTurn, countOf, hanging, stateOf } from './support.ts';

const TIMEOUT = 'FCGI_ERR_HEADERS_TIMEOUT';

it('a server that hangs in the middle of its bodies costs one request its bodyTimeout, and is left alone', async () => {
  await using a = await sayingServer(record(STDOUT, `${HEAD}half`));
  await using b = await answering('b');
  await using upstream = new Upstream([a.address, b.address], { bodyTimeout: 200 });
  const answers = await askInTurn(upstream, 12);
  expect(countOf(answers, 'FCGI_ERR_BODY_TIMEOUT')).toBe(1);
  expect(countOf(answers, 'b')).toBe(11);
  expect(stateOf(upstream, a.address)).toBe('failed');
});

it('one script that stops in the middle of its body says nothing of a server that answers others meanwhile', async () => {
  await using a = await startFakeFpm({
    workers: 8,
    script: async (request, response) => {
      await response.stdout(`${HEAD}a`);
      if (request.params['STOPS'] === '1') await response.hang();
    },
  });
  await using upstream = new Upstream([a.address], { bodyTimeout: 300 });
  const stopped = ask(upstream, { params: { ...GET, STOPS: '1' } });
  await a.executed(1);
  expect(await ask(upstream)).toBe('a');
  expect(await stopped).toBe('FCGI_ERR_BODY_TIMEOUT');
  expect(stateOf(upstream, a.address)).toBe('up');
});

it('a folder in place of a socket is said to be one', async () => {
  using folder = tempDir();
  await using upstream = new Upstream([`unix:${folder.path}`], { connectTimeout: 100 });
  await expect(upstream.request({ params: GET })).rejects.toMatchObject({
    code: 'FCGI_ERR_NO_LIVE_UPSTREAM',
    hint: expect.stringContaining('a directory, not a socket'),
  });
});

describe('a server that accepts and never answers', () => {
  it('costs one request its headersTimeout, and is left alone for failTimeout', async () => {
    await using a = await hanging();
    await using b = await answering('b');
    await using upstream = new Upstream([a.address, b.address], { headersTimeout: 200 });
    const answers = await askInTurn(upstream, 12);
    expect(countOf(answers, TIMEOUT)).toBe(1);
    expect(countOf(answers, 'b')).toBe(11);
    expect(a.accepted).toBe(1);
    expect(stateOf(upstream, a.address)).toBe('failed');
    expect(upstream.stats.servers[0]?.why).toContain('200 ms');
  });

  it('costs two at the most where many come at once: that many are given to one that nobody has heard of', async () => {
    await using a = await rawServer(() => {});
    await using b = await answering('b');
    await using upstream = new Upstream([a.address, b.address], { headersTimeout: 1000 });
    const answers = await askAtOnce(upstream, 40);
    expect(countOf(answers, TIMEOUT)).toBe(2);
    expect(countOf(answers, 'b')).toBe(38);
  });

  it.each([8, 32])('costs two where the other one is a backup, over %i connections', async (connections) => {
    await using a = await rawServer(() => {});
    await using b = await answering('b');
    await using upstream = new Upstream([a.address, { address: b.address, backup: true }], {
      connections,
      headersTimeout: 2000,
    });
    const answers = await askAtOnce(upstream, 20);
    expect(countOf(answers, TIMEOUT)).toBe(2);
    expect(countOf(answers, 'b')).toBe(18);
  });

  it('costs nothing where the policy lets a timeout go to another server', async () => {
    await using a = await hanging();
    await using b = await answering('b');
    const upstream = new Upstream([a.address, b.address], { headersTimeout: 200, retry: 'idempotent' });
    expect(await askInTurn(upstream, 6)).toEqual(Array(6).fill('b'));
    expect(a.accepted).toBe(1);
    await upstream.close();
  });

  it('is asked with one request once failTimeout is over, and is back when it answers', async () => {
    const opened = gate();
    await using a = await startFakeFpm({
      workers: 8,
      script: async (_, response) => {
        await opened.opened;
        await response.stdout(`${HEAD}a`);
      },
    });
    await using b = await answering('b');
    await using upstream = new Upstream([{ address: a.address, failTimeout: 300 }, b.address], {
      headersTimeout: 100,
    });
    await askInTurn(upstream, 3);
    opened.open();
    await waitFor(() => stateOf(upstream, a.address) === 'trial');
    await waitFor(async () => (await ask(upstream)) === 'a');
    expect(stateOf(upstream, a.address)).toBe('up');
  });

  it('is suspected long before its timeout, once others answer and it does not', async () => {
    let hangs = false;
    await using a = await startFakeFpm({
      workers: 8,
      script: (_, response) => (hangs ? response.hang() : response.stdout(`${HEAD}a`)),
    });
    await using b = await answering('b');
    const upstream = new Upstream([a.address, b.address], { headersTimeout: 20_000 });
    await askInTurn(upstream, 4);
    hangs = true;
    let over = false;
    const clients = Array.from({ length: 6 }, async () => {
      while (!over) await ask(upstream);
    });
    try {
      await waitFor(() => stateOf(upstream, a.address) === 'suspect', { timeout: 20_000 });
      const stuck = a.requests.length;
      const served = upstream.stats.served;
      await waitFor(() => upstream.stats.served > served + 300, { timeout: 20_000 });
      // Not one more, although it had room for all of them.
      expect(a.requests.length).toBe(stuck);
    } finally {
      // Else they would ask on for ever, beside all other tests.
      over = true;
      await upstream.destroy();
    }
    await Promise.all(clients);
  }, 45_000);
});

describe.each([
  ['speaks HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), 'FCGI_ERR_RECORD_VERSION'],
  ['hangs in the middle of a head', record(STDOUT, 'Content-type: te'), TIMEOUT],
])('a server that %s', (_, bytes, code) => {
  it('costs one request, and is left alone', async () => {
    await using a = await sayingServer(bytes);
    await using b = await answering('b');
    await using upstream = new Upstream([a.address, b.address], { headersTimeout: 200 });
    const answers = await askInTurn(upstream, 12);
    expect(countOf(answers, code)).toBe(1);
    expect(countOf(answers, 'b')).toBe(11);
    expect(stateOf(upstream, a.address)).toBe('failed');
  });
});

describe('a server whose workers die on every request', () => {
  it('costs nothing where the policy lets them be sent again: it is asked twice', async () => {
    await using a = await startFakeFpm({ workers: 8, script: (_, response) => response.kill() });
    await using b = await answering('b');
    await using upstream = new Upstream([a.address, b.address], { retry: 'idempotent' });
    expect(await askInTurn(upstream, 20)).toEqual(Array(20).fill('b'));
    expect(a.requests.length).toBeGreaterThanOrEqual(1);
    expect(a.requests.length).toBeLessThanOrEqual(2);
    expect(stateOf(upstream, a.address)).toBe('failed');
  });

  it('fails a few by default, as they may have run, and is left alone then', async () => {
    await using a = await startFakeFpm({ workers: 8, script: (_, response) => response.kill() });
    await using b = await answering('b');
    await using upstream = new Upstream([a.address, b.address]);
    const answers = await askInTurn(upstream, 20);
    expect(countOf(answers, 'b')).toBeGreaterThanOrEqual(18);
    expect(a.requests.length).toBeLessThanOrEqual(2);
  });
});

describe('it is not the server', () => {
  it('where one script kills its worker again and again, and others are answered', async () => {
    const server = (name: string): Promise<FakeFpm> =>
      answering(name, {
        script: (request, response) =>
          request.params['QUERY_STRING'] === 'kill' ? response.kill() : response.stdout(`${HEAD}${name}`),
      });
    await using a = await server('a');
    await using b = await server('b');
    await using upstream = new Upstream([a.address, b.address]);
    // Each server has its own: who is given to which is not what is asked here.
    const each = (count: number, params: Record<string, string>): Promise<string[]> =>
      Promise.all([a, b].map(({ address }) => askAtOnce(upstream, count, { params, server: address }))).then(
        (answers) => answers.flat(),
      );
    for (let i = 0; i < 10; i++) {
      const killers = each(2, { ...GET, QUERY_STRING: 'kill' });
      const others = await each(4, GET);
      expect(others.filter((answer) => answer.length > 1)).toEqual([]);
      await killers;
    }
    expect(upstream.stats.servers.map(({ state }) => state)).toEqual(['up', 'up']);
  });

  it('where one script is slow, and others on that server are answered meanwhile', async () => {
    const script = (name: string) =>
      startFakeFpm({
        workers: 8,
        script: (request, response) =>
          request.params['QUERY_STRING'] === 'slow' ? response.hang() : response.stdout(`${HEAD}${name}`),
      });
    await using a = await script('a');
    await using b = await script('b');
    await using upstream = new Upstream([a.address, b.address], { headersTimeout: 300, retry: 'idempotent' });
    let over = false;
    const slow = ask(upstream, { params: { ...GET, QUERY_STRING: 'slow' } }).finally(() => {
      over = true;
    });
    while (!over) expect(['a', 'b']).toContain((await askAtOnce(upstream, 4))[3]);
    // Slow here is slow there: it was not run a second time.
    expect(await slow).toBe(TIMEOUT);
    const ran = [...a.requests, ...b.requests].filter(({ params }) => params['QUERY_STRING'] === 'slow');
    expect(ran.length).toBe(1);
    expect(upstream.stats.servers.map(({ state }) => state)).toEqual(['up', 'up']);
  });

  it('where workers are recycled after each request', async () => {
    await using a = await answering('a', { maxRequests: 1 });
    await using b = await answering('b', { maxRequests: 1 });
    await using upstream = new Upstream([a.address, b.address]);
    const answers = await askInTurn(upstream, 40);
    expect(countOf(answers, 'a') + countOf(answers, 'b')).toBe(40);
    expect(upstream.stats.servers.map(({ fails }) => fails)).toEqual([0, 0]);
  });

  it('where the client has left', async () => {
    await using a = await hanging();
    await using upstream = new Upstream([a.address, { address: a.address, backup: true }]);
    for (let i = 0; i < 3; i++) {
      const controller = new AbortController();
      const answer = upstream.request({ params: GET, signal: controller.signal });
      await a.executed(i + 1);
      controller.abort(new Error('gone'));
      await expect(answer).rejects.toThrow('gone');
    }
    expect(upstream.stats.servers[0]).toMatchObject({ state: 'up', fails: 0 });
    await upstream.destroy();
  });
});

describe('of several servers', () => {
  it('no more than half are left alone, and never the last', async () => {
    const hung = await Promise.all(Array.from({ length: 3 }, () => rawServer(() => {})));
    await using d = await answering('d');
    const upstream = new Upstream([...hung.map(({ address }) => address), d.address], {
      headersTimeout: 400,
    });
    const answers = await askAtOnce(upstream, 60);
    // Two each, and one or two more of the one that the panic rule keeps.
    expect(countOf(answers, 'd')).toBeGreaterThanOrEqual(60 - 8);
    await askInTurn(upstream, 10);
    // Left alone or not: those that failed get one request at a time.
    expect(upstream.stats.servers.map(({ state }) => state)).toEqual(['failed', 'failed', 'failed', 'up']);
    await upstream.destroy();
    for (const server of hung) await server[Symbol.asyncDispose]();
  }, 30_000);

  it('one whose backlog is full is spared for a moment, and has not failed', async () => {
    await using a = await rawServer((socket) => socket.end(record(3, Buffer.from([0, 0, 0, 0, 2, 0, 0, 0]))));
    await using b = await answering('b');
    await using upstream = new Upstream([a.address, b.address]);
    expect(await askInTurn(upstream, 10)).toEqual(Array(10).fill('b'));
    expect(upstream.stats.servers[0]).toMatchObject({ fails: 0 });
    // OVERLOADED, once and again after each pause: 50, 100, 200 ms.
    expect(a.sockets.length).toBeLessThanOrEqual(2);
  });
});
