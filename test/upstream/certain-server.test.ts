/** A request that only one server of several may have: its status page, say. */
import { describe, expect, it } from 'vitest';
import { Pool, Upstream } from '../../src/index.ts';
import { ended, GET, gate } from '../pool/support.ts';
import { answering, ask, askAtOnce } from './support.ts';

describe('a request for a certain server', () => {
  it('goes there and nowhere else, whatever the balance', async () => {
    await using a = await answering('a');
    await using b = await answering('b');
    await using upstream = new Upstream([a.address, { address: b.address, down: true }]);
    for (let i = 0; i < 3; i++) {
      expect(await ask(upstream, { server: b.address })).toBe('b');
      expect(await ask(upstream, { server: a.address })).toBe('a');
    }
  });

  it('waits for that server while others have room', async () => {
    const held = gate();
    await using a = await answering('a', { onRequest: () => held.opened });
    await using b = await answering('b');
    await using upstream = new Upstream([a.address, b.address], { connections: 1 });
    const first = ask(upstream, { server: a.address });
    const second = ask(upstream, { server: a.address });
    expect(upstream.stats.queued).toBe(1);
    expect(await ask(upstream, { server: b.address })).toBe('b');
    held.open();
    expect(await Promise.all([first, second])).toEqual(['a', 'a']);
  });

  it('keeps nobody waiting for the others while it waits: whoever may go elsewhere goes at once', async () => {
    const held = gate();
    await using a = await answering('a', { onRequest: () => held.opened });
    await using b = await answering('b');
    await using upstream = new Upstream([a.address, b.address], { connections: 1 });
    const pinned = [1, 2].map(() => ask(upstream, { server: a.address }));
    expect(upstream.stats.queued).toBe(1);
    const any = ask(upstream);
    expect(upstream.stats).toMatchObject({ queued: 1, servers: [{ load: 1 }, { load: 1 }] });
    expect(await any).toBe('b');
    const named = ask(upstream, { server: b.address });
    expect(upstream.stats).toMatchObject({ queued: 1, servers: [{ load: 1 }, { load: 1 }] });
    expect(await named).toBe('b');
    held.open();
    expect(await Promise.all(pinned)).toEqual(['a', 'a']);
  });

  it('goes at once where it has room, while the others wait for a first answer', async () => {
    const held = gate();
    await using a = await answering('a', { onRequest: () => held.opened });
    await using b = await answering('b', { onRequest: () => held.opened });
    await using upstream = new Upstream([a.address, b.address]);
    const others = askAtOnce(upstream, 5);
    expect(upstream.stats.queued).toBe(1);
    const named = ask(upstream, { server: b.address });
    expect(upstream.stats).toMatchObject({ queued: 1, servers: [{ load: 2 }, { load: 3 }] });
    held.open();
    expect(await named).toBe('b');
    await others;
  });

  it('waits its turn among those that any server may have', async () => {
    const held = gate();
    await using a = await answering('a', { onRequest: () => held.opened });
    await using upstream = new Upstream([a.address, { address: '127.0.0.1:9', down: true }], {
      connections: 1,
    });
    const ordered = (N: number): Promise<string> =>
      ask(upstream, { params: { ...GET, N: String(N) }, ...(N % 3 === 0 ? {} : { server: a.address }) });
    const all = [0, 1, 2, 3, 4, 5, 6, 7].map(ordered);
    expect(upstream.stats.queued).toBe(7);
    held.open();
    await Promise.all(all);
    expect(a.requests.map(({ params }) => params['N'])).toEqual([...'01234567']);
  });

  it('fails with that server, and is not sent to another one', async () => {
    await using b = await answering('b');
    const gone = 'unix:/nonexistent/fpm.sock';
    await using upstream = new Upstream([gone, b.address], { retry: 'always' });
    const error = await upstream.request({ params: GET, server: gone }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ server: gone, executed: 'no' });
    expect(upstream.stats.served).toBe(0);
  });

  it('is refused where there is no such server, by a Pool as well', async () => {
    await using a = await answering('a');
    await using upstream = new Upstream([a.address, '127.0.0.1:9']);
    await using pool = new Pool(a.address);
    for (const dispatcher of [upstream, pool]) {
      const refused = dispatcher.request({ params: GET, server: '127.0.0.1:10' });
      await expect(refused).rejects.toMatchObject({ code: 'FCGI_ERR_INVALID_ARG', option: 'server' });
      expect(dispatcher.stats).toMatchObject({ busy: 0, queued: 0 });
    }
    expect(await ask(upstream, { server: a.address })).toBe('a');
  });

  it('is refused by a Pool also while others wait, and neither runs nor disturbs them', async () => {
    const held = gate();
    await using fpm = await answering('a', { onRequest: () => held.opened });
    await using pool = new Pool(fpm.address, { connections: 1 });
    const others = [ended(pool, { params: GET }), ended(pool, { params: GET })];
    expect(pool.stats.queued).toBe(1);
    const refused = pool.request({ params: GET, server: '127.0.0.1:10' });
    await expect(refused).rejects.toMatchObject({ code: 'FCGI_ERR_INVALID_ARG', option: 'server' });
    held.open();
    await Promise.all(others);
    expect(fpm.requests).toHaveLength(2);
  });
});
