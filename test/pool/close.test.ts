import { describe, expect, it } from 'vitest';
import { Pool } from '../../src/pool/pool.ts';
import { startFakeFpm } from '../../src/testing/index.ts';
import { waitFor } from '../fpm/support/wait.ts';
import { GET_VALUES, GET_VALUES_RESULT, pair, record } from '../testing/support/wire.ts';
import { answer, ended, GET, gate, HEAD, POST, Recorder, rawServer, text } from './support.ts';

/** Resolves to true if `promise` has not settled after a turn of the loop or two. */
async function pending(promise: Promise<unknown>): Promise<boolean> {
  const later = new Promise((resolve) => setTimeout(resolve, 20, pending));
  return (await Promise.race([promise, later])) === pending;
}

describe('close()', () => {
  it('finishes what was accepted, running or waiting, and then closes every connection', async () => {
    const hold = gate();
    await using fpm = await startFakeFpm({ onRequest: () => hold.opened });
    const pool = new Pool(fpm.address, { connections: 1 });
    const all = [1, 2, 3].map(() => text(pool, { params: GET }));
    await Promise.race([fpm.executed(1), new Promise((resolve) => setImmediate(resolve))]);
    const closed = pool.close();
    expect(await pending(closed)).toBe(true);
    hold.open();
    expect(await Promise.all(all)).toEqual(['ok', 'ok', 'ok']);
    await closed;
    expect(pool.stats).toMatchObject({ connected: 0, queued: 0, served: 3 });
  });

  it('takes no more: FCGI_ERR_CLOSED', async () => {
    const pool = new Pool('unix:/nowhere.sock');
    await pool.close();
    await expect(pool.request({ params: GET })).rejects.toMatchObject({
      code: 'FCGI_ERR_CLOSED',
      executed: 'no',
    });
  });

  it('closes idle connections at once', async () => {
    await using fpm = await startFakeFpm();
    const pool = new Pool(fpm.address);
    await ended(pool, { params: GET });
    await pool.close();
    expect(pool.stats).toMatchObject({ connected: 0, closed: { 'pool-closed': 1 } });
  });

  it('may be called again and again, and before anything was sent', async () => {
    const pool = new Pool('unix:/nowhere.sock');
    await Promise.all([pool.close(), pool.close(), pool.destroy()]);
    await pool.close();
  });

  it('waits for a request that is still being dialled for', async () => {
    const pool = new Pool('unix:/nowhere/at/all.sock', { connectTimeout: 60 });
    const request = pool.request({ params: GET }).catch((error: unknown) => error);
    await pool.close();
    expect(await request).toMatchObject({ code: 'FCGI_ERR_CONNECT_TIMEOUT' });
  });

  it.each([
    ['that is read whole first', 10, 'no'],
    ['that is sent as it comes', 3_000_000, 'unknown'],
  ])(
    'waits for headersTimeout, and not for ever, for a body %s and gives no more',
    async (_, length, executed) => {
      await using fpm = await startFakeFpm();
      const pool = new Pool(fpm.address, { headersTimeout: 60 });
      const started = gate();
      let left = false;
      async function* stuck(): AsyncGenerator<string> {
        try {
          yield 'a';
          started.open();
          await new Promise((resolve) => setTimeout(resolve, 2_000).unref());
        } finally {
          left = true;
        }
      }
      const params = { ...POST, CONTENT_LENGTH: String(length) };
      const request = pool.request({ params, body: stuck() }).catch((error: unknown) => error);
      await started.opened;
      await pool.close();
      expect(left).toBe(false);
      expect(await request).toMatchObject({
        code: 'FCGI_ERR_HEADERS_TIMEOUT',
        executed,
        message: 'the pool closes, and nothing more of the request came from its source for 60 ms',
      });
    },
  );
});

describe('destroy()', () => {
  it('fails what runs and what waits with FCGI_ERR_DESTROYED, and closes every connection now', async () => {
    await using fpm = await startFakeFpm({ script: (_, response) => response.hang() });
    const pool = new Pool(fpm.address, { connections: 1 });
    const all = [1, 2, 3].map(() => pool.request({ params: GET }).catch((error: unknown) => error));
    await fpm.executed(1);
    await pool.destroy();
    expect(pool.stats).toMatchObject({ connected: 0, queued: 0, busy: 0 });
    const errors = await Promise.all(all);
    expect(errors).toEqual([1, 2, 3].map(() => expect.objectContaining({ code: 'FCGI_ERR_DESTROYED' })));
  });

  it('says of each request for itself whether it may have run', async () => {
    await using fpm = await startFakeFpm({ script: (_, response) => response.hang() });
    const pool = new Pool(fpm.address, { connections: 1 });
    const [running, waiting] = [1, 2].map(() =>
      pool.request({ params: GET }).catch((error: unknown) => error),
    );
    await fpm.executed(1);
    await pool.destroy();
    expect(await running).toMatchObject({ executed: 'unknown', attempts: 1 });
    expect(await waiting).toMatchObject({ executed: 'no', attempts: 0 });
  });

  it('takes the error that it is given', async () => {
    await using fpm = await startFakeFpm({ script: (_, response) => response.hang() });
    const pool = new Pool(fpm.address);
    const request = pool.request({ params: GET });
    const reason = new Error('the process ends');
    const failed = expect(request).rejects.toBe(reason);
    await fpm.executed(1);
    await pool.destroy(reason);
    await failed;
  });

  it('errors a body that is being read', async () => {
    await using fpm = await startFakeFpm({
      script: async (_, response) => {
        await response.stdout(`${HEAD}half`);
        await response.hang();
      },
    });
    const pool = new Pool(fpm.address);
    const response = await pool.request({ params: GET });
    const whole = response.body.text();
    const failed = expect(whole).rejects.toMatchObject({ code: 'FCGI_ERR_DESTROYED', executed: 'yes' });
    await pool.destroy();
    await failed;
  });

  it('fails a request that came in the same turn', async () => {
    await using fpm = await startFakeFpm({ script: (_, response) => response.hang() });
    const pool = new Pool(fpm.address);
    const recorder = new Recorder();
    pool.dispatch({ params: GET }, recorder);
    await pool.destroy();
    expect(await recorder.over).toMatchObject({ code: 'FCGI_ERR_DESTROYED' });
    expect(fpm.requests).toHaveLength(0);
  });

  it('fails a request whose body is still being read, and tells the source', async () => {
    const pool = new Pool('unix:/nowhere.sock');
    const asked = gate();
    const told = gate();
    const body: AsyncIterable<string> = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          asked.open();
          return new Promise<never>(() => {});
        },
        return: async () => {
          told.open();
          return { done: true, value: undefined };
        },
      }),
    };
    const recorder = new Recorder();
    pool.dispatch({ params: GET, body }, recorder);
    await asked.opened;
    await pool.destroy();
    expect(await recorder.over).toMatchObject({ code: 'FCGI_ERR_DESTROYED' });
    await told.opened;
  });
});

it('`await using` closes', async () => {
  await using fpm = await startFakeFpm();
  const kept: Pool[] = [];
  {
    await using pool = new Pool(fpm.address);
    kept.push(pool);
    await ended(pool, { params: GET });
  }
  expect(kept[0]?.stats.connected).toBe(0);
  await expect(kept[0]?.request({ params: GET })).rejects.toMatchObject({ code: 'FCGI_ERR_CLOSED' });
});

it.each([
  ['its caller leaves, then close()', (pool: Pool) => pool.close()],
  ['destroy()', (pool: Pool) => pool.destroy()],
])('a request whose fate hangs on what the server is: %s ends the look at it, too', async (how, end) => {
  const looked = gate();
  await using server = await rawServer((socket, nth) => {
    let requests = 0;
    socket.on('data', (bytes: Buffer) => {
      // Asked on a connection of its own, it says nothing.
      if (nth > 1) looked.open();
      else if (bytes[1] === GET_VALUES)
        socket.write(record(GET_VALUES_RESULT, pair('FCGI_MPXS_CONNS', '0'), 0, 0));
      else if (++requests === 1) socket.write(answer());
      // As a worker that was recycled; or as a proxy, which is what has to be found out.
      else socket.end();
    });
  });
  const pool = new Pool(server.address, { connections: 1, keepaliveTime: 0, keepaliveTimeout: 60_000 });
  await ended(pool, { params: GET });
  const left = new AbortController();
  const lost = pool.request({ params: GET, signal: left.signal });
  lost.catch(() => {});
  await looked.opened;
  if (how !== 'destroy()') left.abort(new Error('gone'));
  await end(pool);
  await expect(lost).rejects.toThrow();
  await waitFor(() => pool.stats.connected === 0 && pool.stats.busy === 0, { timeout: 2_000 });
});
