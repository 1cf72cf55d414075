/** A request that only one server of several may have: its status page, say. */
import { describe, expect, it } from 'vitest';
import { Pool, Upstream } from '../../src/index.ts';
import { ended, GET, gate } from '../pool/support.ts';
import { answering, ask } from './support.ts';

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
