/** What a request that is too late, or is turned away, says of its cause: that php-fpm is down must not be told as too much to do. */
import { describe, expect, it } from 'vitest';
import { FcgiError, Pool, type PoolOptions, Upstream } from '../../src/index.ts';
import { startFakeFpm } from '../../src/testing/index.ts';
import { GET, gate, HEAD, POST } from './support.ts';

const GONE = 'unix:/nonexistent/outage.sock';
const IS_DOWN = /is php-fpm running/;

const kinds: [string, (options: PoolOptions) => Pool | Upstream][] = [
  ['a Pool', (options) => new Pool(GONE, options)],
  ['an Upstream', (options) => new Upstream([GONE, `${GONE}2`], options)],
];

async function failure(asked: Promise<unknown>): Promise<FcgiError> {
  const error: unknown = await asked.then(
    () => expect.fail('it was answered'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof FcgiError)) throw error;
  return error;
}

describe.each(kinds)('while the server of %s is down', (_, start) => {
  it('timeout: one that is dialled for, and one that waits for a connection', async () => {
    await using pool = start({ connections: 1, timeout: 80 });
    const errors = await Promise.all(Array.from({ length: 3 }, () => failure(pool.request({ params: GET }))));
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'FCGI_ERR_TIMEOUT', executed: 'no' });
      expect(error.hint).toMatch(IS_DOWN);
    }
  });

  it('queueTimeout', async () => {
    await using pool = start({ connections: 1, queueTimeout: 60, connectTimeout: 1_000 });
    const errors = await Promise.all(Array.from({ length: 8 }, () => failure(pool.request({ params: GET }))));
    const late = errors.filter(({ code }) => code === 'FCGI_ERR_QUEUE_TIMEOUT');
    expect(late.length).toBeGreaterThan(0);
    for (const { hint } of late) expect(hint).toMatch(IS_DOWN);
  });

  it('queueSize', async () => {
    await using pool = start({ connections: 1, queueSize: 1, connectTimeout: 300 });
    await failure(pool.request({ params: GET, timeout: 20 }));
    const errors = await Promise.all(Array.from({ length: 5 }, () => failure(pool.request({ params: GET }))));
    const refused = errors.filter(({ code }) => code === 'FCGI_ERR_QUEUE_FULL');
    expect(refused.length).toBeGreaterThan(0);
    for (const { hint } of refused) expect(hint).toMatch(IS_DOWN);
  });
});

describe('while the server is up, a request that is over by `timeout`', () => {
  it('waited for a connection: all are busy', async () => {
    const answer = gate();
    await using fpm = await startFakeFpm({ onRequest: () => answer.opened });
    await using pool = new Pool(fpm.address, { connections: 1 });
    const running = pool.request({ params: GET });
    const error = await failure(pool.request({ params: GET, timeout: 40 }));
    answer.open();
    await (await running).body.text();
    expect(error).toMatchObject({ phase: 'queued', hint: expect.stringContaining('busy') });
  });

  it('had been sent: the script is slow', async () => {
    await using fpm = await startFakeFpm({ script: (_, response) => response.hang() });
    await using pool = new Pool(fpm.address);
    const error = await failure(pool.request({ params: GET, timeout: 40 }));
    expect(error).toMatchObject({ phase: 'waiting', hint: expect.stringContaining('the script is slow') });
  });

  it('had begun to be answered', async () => {
    await using fpm = await startFakeFpm({
      script: async (_, response) => {
        await response.stdout(HEAD);
        await response.hang();
      },
    });
    await using pool = new Pool(fpm.address);
    const { body } = await pool.request({ params: GET, timeout: 60 });
    const error = await failure(body.text());
    expect(error).toMatchObject({ phase: 'body', hint: expect.stringContaining('slow to go on') });
  });

  it('waited for its own body', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address);
    const body = (async function* (): AsyncGenerator<string> {
      await new Promise(() => {});
      yield '';
    })();
    const error = await failure(pool.request({ params: POST, body, timeout: 40 }));
    expect(error.hint).toContain('source');
  });

  it("is the caller's own affair where he gave an error of ours with a hint of his", async () => {
    await using fpm = await startFakeFpm({ script: (_, response) => response.hang() });
    await using pool = new Pool(fpm.address);
    const reason = new FcgiError('FCGI_ERR_TIMEOUT', 'mine', { facts: { hint: 'mine, too' } });
    const error = await failure(pool.request({ params: GET, signal: AbortSignal.abort(reason) }));
    expect(error.hint).toBe('mine, too');
  });
});
