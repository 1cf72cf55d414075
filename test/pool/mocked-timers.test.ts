import { performance } from 'node:perf_hooks';
import { mock } from 'node:test';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Pool } from '../../src/pool/pool.ts';
import { startFakeFpm } from '../../src/testing/index.ts';
import { Upstream } from '../../src/upstream/upstream.ts';
import { GET, HEAD, text } from './support.ts';

const TIMERS = ['setTimeout', 'setInterval', 'setImmediate', 'Date'] as const;

/** What a test suite does to the timers of its whole process. */
const MOCKS: readonly (readonly [string, () => void])[] = [
  ['vitest', () => void vi.useFakeTimers()],
  ['node:test', () => mock.timers.enable()],
  ['Jest, with the microtasks', () => void vi.useFakeTimers({ toFake: [...TIMERS, 'queueMicrotask'] })],
];

afterEach(() => {
  vi.useRealTimers();
  mock.timers.reset();
});

describe.each(MOCKS)(
  'where tests have mocked the timers (%s), a pool keeps to the real time',
  (_, enable) => {
    it('a server that is not there is waited for, and not for ever', async () => {
      enable();
      await using pool = new Pool('unix:/nowhere/fpm.sock', { connectTimeout: 50 });
      await expect(pool.request({ params: GET })).rejects.toMatchObject({ code: 'FCGI_ERR_CONNECT_TIMEOUT' });
    });

    it('a request that meets a worker at pm.max_requests is sent again, over tcp as well', async () => {
      enable();
      await using fpm = await startFakeFpm({ transport: 'tcp', workers: 1, maxRequests: 2 });
      await using pool = new Pool(fpm.address, { backend: 'php-fpm', keepaliveTime: 0 });
      for (let i = 0; i < 5; i++) expect(await text(pool, { params: GET })).toBe('ok');
      expect(fpm.requests).toHaveLength(5);
    });

    it('what no server can have fails at once: none is left, none has that name', async () => {
      enable();
      await using none = new Upstream([{ address: 'unix:/nowhere/fpm.sock', down: true }]);
      await expect(none.request({ params: GET })).rejects.toMatchObject({
        code: 'FCGI_ERR_NO_LIVE_UPSTREAM',
      });
      await using upstream = new Upstream(['unix:/nowhere/fpm.sock']);
      const server = 'unix:/nowhere/other.sock';
      await expect(upstream.request({ params: GET, server })).rejects.toMatchObject({ option: 'server' });
    });

    it('a body that nobody reads is given up', async () => {
      await using fpm = await startFakeFpm({
        script: (_request, response) => response.stdout(HEAD + 'x'.repeat(300_000)),
      });
      enable();
      await using pool = new Pool(fpm.address, { bodyTimeout: 50 });
      const { ended } = await pool.request({ params: GET });
      await expect(ended).rejects.toMatchObject({ code: 'FCGI_ERR_BODY_TIMEOUT' });
    });

    it('the timeouts of one that was used meanwhile hold later, too', async () => {
      await using fpm = await startFakeFpm({
        script: (request, response) =>
          'HANG' in request.params ? response.hang() : response.stdout(`${HEAD}ok`),
      });
      await using pool = new Pool(fpm.address, { headersTimeout: 50 });
      enable();
      expect(await text(pool, { params: GET })).toBe('ok');
      vi.useRealTimers();
      mock.timers.reset();
      await expect(pool.request({ params: { ...GET, HANG: '1' } })).rejects.toMatchObject({
        code: 'FCGI_ERR_HEADERS_TIMEOUT',
      });
    });
  },
);

it('Sinon replaces performance.now() of node:perf_hooks as well: a server that is not there is waited for, and not for ever', async () => {
  const { now } = performance;
  Object.defineProperty(performance, 'now', { value: () => 0, configurable: true, writable: true });
  try {
    await using pool = new Pool('unix:/nowhere/fpm.sock', { connectTimeout: 50 });
    await expect(pool.request({ params: GET })).rejects.toMatchObject({ code: 'FCGI_ERR_CONNECT_TIMEOUT' });
  } finally {
    performance.now = now;
  }
});
