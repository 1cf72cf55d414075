import { describe, expect, it } from 'vitest';
import { FcgiError } from '../../src/errors.ts';
import { Pool } from '../../src/pool/pool.ts';
import { startFakeFpm } from '../../src/testing/index.ts';
import { answer, ended, GET, HEAD, POST, PUT, Recorder, rawServer, text } from './support.ts';

interface Race extends AsyncDisposable {
  readonly pool: Pool;
  readonly racing: Recorder;
}

/**
 * Sends `second` in the very turn in which the first response ends, on a connection whose worker is just leaving. Where its end
 * has come together with the response, as on a busy machine, the request has met none: then another pool tries.
 */
async function raceIn(address: string, second: () => object, options: object = {}): Promise<Race> {
  for (let tries = 50; ; tries--) {
    const pool = new Pool(address, { backend: 'php-fpm', ...options });
    const racing = new Recorder();
    const first = new Recorder();
    first.onResponseEnd = () => pool.dispatch({ params: GET, ...second() }, racing);
    pool.dispatch({ params: GET }, first);
    await racing.over;
    const race = { pool, racing, [Symbol.asyncDispose]: () => pool.close() };
    if (pool.stats.closed.recycled > 0 || tries === 1) return race;
    await pool.close();
  }
}

describe.each(['unix', 'tcp'] as const)('a request that meets a recycled worker (%s)', (transport) => {
  const recycling = { transport, maxRequests: 1, workers: 4 } as const;

  it('is sent again on a fresh connection, and the handler does not notice', async () => {
    await using fpm = await startFakeFpm(recycling);
    await using race = await raceIn(fpm.address, () => ({ params: { ...GET, N: '2' } }));
    const { pool, racing } = race;
    expect(racing.events).toEqual(['request', 'start 200', 'data', 'end']);
    expect(racing.ended).toMatchObject({ attempts: 2, reused: false });
    expect(fpm.requests.slice(-2).map(({ params }) => params['N'])).toEqual([undefined, '2']);
    expect(pool.stats).toMatchObject({ retried: 1, closed: { recycled: 1 } });
  });

  it.each([
    ['a string', () => 'a body'],
    ['bytes', () => Buffer.from('a body')],
    [
      'a stream inside replayBuffer',
      async function* () {
        yield 'a ';
        yield 'body';
      },
    ],
  ])('with its body, given as %s', async (_, body) => {
    await using fpm = await startFakeFpm({
      ...recycling,
      script: async (request, response) => response.stdout(HEAD + (await request.text())),
    });
    const second = (): object => ({ params: { ...POST, CONTENT_LENGTH: '6' }, body: body() });
    await using race = await raceIn(fpm.address, second);
    const { racing } = race;
    expect(Buffer.concat(racing.chunks).toString()).toBe('a body');
    expect(racing.ended?.attempts).toBe(2);
    expect(await fpm.requests.at(-1)?.text()).toBe('a body');
  });

  it("fails under retry: 'never', of the pool or of the request, and says that it did not run", async () => {
    await using fpm = await startFakeFpm(recycling);
    await using ofPool = await raceIn(fpm.address, () => ({}), { retry: 'never' });
    expect(ofPool.racing.error).toMatchObject({ executed: 'no', attempts: 1, reused: true });
    await using ofRequest = await raceIn(fpm.address, () => ({ retry: 'never' }));
    expect(ofRequest.racing.error).toMatchObject({ executed: 'no', attempts: 1 });
  });
});

describe('a stream that is longer than replayBuffer', () => {
  it('goes out on a fresh connection in the first place, where no worker is about to leave', async () => {
    await using fpm = await startFakeFpm({ maxRequests: 2, workers: 4 });
    await using pool = new Pool(fpm.address, { replayBuffer: 10 });
    const long = async function* (): AsyncGenerator<string> {
      yield 'longer than ten bytes';
    };
    for (let i = 0; i < 4; i++) {
      await ended(pool, { params: GET });
      const how = await ended(pool, { params: { ...POST, CONTENT_LENGTH: '21' }, body: long() });
      expect(how).toMatchObject({ reused: false, attempts: 1 });
    }
    expect(pool.stats.closed['fresh-needed']).toBeGreaterThan(0);
  });
});

describe('what may have run is not sent again', () => {
  it.each<[string, object, number]>([
    ['by default, not even a GET', { params: GET }, 1],
    ["by 'idempotent', a GET is", { params: GET, retry: 'idempotent' }, 3],
    ["by 'idempotent', a POST is not", { params: POST, body: 'a', retry: 'idempotent' }, 1],
    [
      "by 'idempotent', a POST that is said to be idempotent is",
      { params: POST, body: 'a', retry: 'idempotent', idempotent: true },
      3,
    ],
    [
      "by 'idempotent', a GET that is said not to be is not",
      { params: GET, retry: 'idempotent', idempotent: false },
      1,
    ],
    ["by 'always', a POST is", { params: POST, body: 'a', retry: 'always' }, 3],
  ])('%s', async (_, request, runs) => {
    await using fpm = await startFakeFpm({ workers: 4, script: (_request, response) => response.kill() });
    await using pool = new Pool(fpm.address, { tries: 3 });
    await expect(pool.request({ params: GET, ...request })).rejects.toMatchObject({
      executed: 'unknown',
      attempts: runs,
    });
    expect(fpm.requests).toHaveLength(runs);
  });

  it('a timeout is never followed by another run, whatever the policy', async () => {
    await using fpm = await startFakeFpm({ script: (_, response) => response.hang() });
    await using pool = new Pool(fpm.address, { retry: 'always', headersTimeout: 60 });
    await expect(pool.request({ params: GET })).rejects.toMatchObject({
      code: 'FCGI_ERR_HEADERS_TIMEOUT',
      attempts: 1,
    });
    expect(fpm.requests).toHaveLength(1);
  });
});

it('a server that lets nobody in does not get the same request for ever: `tries`', async () => {
  await using server = await rawServer((socket) => socket.destroy());
  await using pool = new Pool(server.address, { tries: 3 });
  await expect(pool.request({ params: GET })).rejects.toMatchObject({
    code: expect.stringMatching(/^FCGI_ERR_SOCKET/),
    attempts: 3,
  });
  expect(server.sockets).toHaveLength(3);
});

it('a server that is really down is not stormed: in the end each request is sent once, whatever `tries` allows', async () => {
  await using server = await rawServer((socket) => socket.destroy());
  await using pool = new Pool(server.address, { connections: 1, tries: 6 });
  const attempts: number[] = [];
  for (let i = 0; i < 12; i++) {
    const error: unknown = await pool.request({ params: GET }).catch((reason: unknown) => reason);
    attempts.push(error instanceof FcgiError ? error.attempts : Number.NaN);
  }
  expect(attempts[0]).toBe(6);
  expect(attempts.at(-1)).toBe(1);
}, 15_000);

it('behind a proxy, what must not run twice never goes out on a kept connection', async () => {
  await using fpm = await startFakeFpm({ workers: 4 });
  await using pool = new Pool(fpm.address, { proxied: true });
  for (let i = 0; i < 3; i++) {
    await ended(pool, { params: GET });
    expect(await ended(pool, { params: POST, body: 'a' })).toMatchObject({ reused: false });
  }
});

describe('the end of input', () => {
  it('a server that answers only after it is answered nevertheless, and before long without delay', async () => {
    await using fpm = await startFakeFpm({
      readsToEndOfInput: true,
      script: async (request, response) => response.stdout(HEAD + (await request.text())),
    });
    await using pool = new Pool(fpm.address, { terminatorDelay: 50 });
    const times: number[] = [];
    for (let i = 0; i < 12; i++) {
      const begun = performance.now();
      expect(await text(pool, { params: POST, body: 'abc' })).toBe('abc');
      times.push(performance.now() - begun);
    }
    expect(times[0]).toBeGreaterThanOrEqual(50);
    expect(Math.min(...times.slice(8))).toBeLessThan(50);
  });

  it("backend 'generic': every request has exactly one, right behind its body, and none is in front", async () => {
    const terminator = (id: number): Buffer => Buffer.from([1, 5, 0, id, 0, 0, 0, 0]);
    const requests: { bytes: Buffer; id: number }[] = [];
    await using server = await rawServer((socket) => {
      let bytes = Buffer.alloc(0);
      let id = 1;
      socket.on('data', (chunk: Buffer) => {
        bytes = Buffer.concat([bytes, chunk]);
        if (!bytes.subarray(-8).equals(terminator(id))) return;
        requests.push({ bytes, id });
        bytes = Buffer.alloc(0);
        socket.write(answer('ok', id++));
      });
    });
    await using pool = new Pool(server.address, {
      backend: 'generic',
      retry: 'always',
      keepaliveTime: 0,
      keepaliveTimeout: 0,
    });
    const stream = async function* (): AsyncGenerator<string> {
      yield 'ab';
      yield 'c';
    };
    const bodies = [
      null,
      'abc',
      stream(),
      Buffer.alloc(100_000, 1),
      Buffer.alloc(300_000, 1),
      stream(),
      null,
    ];
    for (const body of bodies) {
      const length =
        body === null ? '0' : typeof body === 'string' || !Buffer.isBuffer(body) ? '3' : String(body.length);
      expect(await text(pool, { params: { ...PUT, CONTENT_LENGTH: length }, body })).toBe('ok');
    }
    expect(requests).toHaveLength(bodies.length);
    for (const { bytes, id } of requests) {
      expect(bytes.subarray(0, 4)).toEqual(Buffer.from([1, 1, 0, id])); // BEGIN_REQUEST comes first
      expect(bytes.indexOf(terminator(id))).toBe(bytes.length - 8);
    }
    // Kept, but for those behind a body that was sent in pieces.
    expect(requests.map(({ id }) => id)).toEqual([1, 2, 3, 1, 1, 1, 1]);
    expect(pool.stats.closed['body-unread']).toBe(4);
  });

  it('by default none is sent while PHP-FPM answers quickly, but in front of the next request', async () => {
    const received: Buffer[] = [];
    await using server = await rawServer((socket) => {
      socket.on('data', (chunk: Buffer) => {
        received.push(chunk);
        socket.write(answer('ok', received.length));
      });
    });
    await using pool = new Pool(server.address, { backend: 'php-fpm' });
    for (let i = 0; i < 3; i++) await ended(pool, { params: GET });
    // Type 1 is BEGIN_REQUEST, 5 is STDIN.
    expect(received.map((bytes) => bytes[1])).toEqual([1, 5, 5]);
    expect(received.map((bytes) => bytes[bytes.length - 7])).toEqual([4, 4, 4]); // the empty PARAMS comes last
  });
});
