/** The list of servers changes: by update(), and by what names stand for. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { ArgumentError, Upstream } from '../../src/index.ts';
import { waitFor } from '../fpm/support/index.ts';
import { GET, gate, HEAD } from '../pool/support.ts';
import { answering, ask, askInTurn, hanging, stateOf } from './support.ts';

describe('update()', () => {
  it('keeps the connections of those that stay, and what is known of them', async () => {
    await using hung = await hanging();
    await using a = await answering('a');
    await using b = await answering('b');
    await using upstream = new Upstream([hung.address, a.address], {
      headersTimeout: 100,
      keepaliveTime: 0,
      keepaliveTimeout: 0,
      backend: 'php-fpm',
    });
    await askInTurn(upstream, 4);
    upstream.update([b.address, a.address, hung.address]);
    expect(stateOf(upstream, hung.address)).toBe('failed');
    expect(new Set(await askInTurn(upstream, 8))).toEqual(new Set(['a', 'b']));
    expect(a.accepted).toBe(1);
    expect(upstream.stats.servers.map(({ address }) => address)).toEqual([
      b.address,
      a.address,
      hung.address,
    ]);
  });

  it('lets those that are taken out end what they have, and no more; what they have done stays counted', async () => {
    const opened = gate();
    await using a = await answering('a', {
      script: async (_, response) => {
        await opened.opened;
        await response.stdout(`${HEAD}a`);
      },
    });
    await using b = await answering('b');
    await using upstream = new Upstream([a.address]);
    const running = ask(upstream);
    await a.executed(1);
    upstream.update([b.address]);
    expect(stateOf(upstream, a.address)).toBe('leaving');
    expect(await ask(upstream)).toBe('b');
    opened.open();
    expect(await running).toBe('a');
    await waitFor(() => upstream.stats.servers.length === 1 && a.connections === 0);
    expect(upstream.stats.served).toBe(2);
  });

  it('closes idle connections to those that are taken out at once', async () => {
    await using a = await answering('a');
    await using b = await answering('b');
    await using upstream = new Upstream([a.address, b.address], { keepaliveTime: 0, keepaliveTimeout: 0 });
    await askInTurn(upstream, 2);
    expect(a.connections).toBe(1);
    upstream.update([b.address]);
    await waitFor(() => a.connections === 0);
  });

  it('gives requests that wait to the new ones', async () => {
    await using a = await hanging();
    await using b = await answering('b');
    const upstream = new Upstream([a.address], { connections: 1 });
    const stuck = upstream.request({ params: GET }).catch(() => 'stuck');
    const waiting = ask(upstream);
    await a.executed(1);
    upstream.update([a.address, b.address]);
    expect(await waiting).toBe('b');
    await upstream.destroy();
    expect(await stuck).toBe('stuck');
  });

  it('with a list that cannot be changes nothing', async () => {
    await using a = await answering('a');
    await using upstream = new Upstream([a.address]);
    for (const list of [[], ['nowhere'], [{ address: a.address, weight: 0 }]]) {
      expect(() => upstream.update(list)).toThrow(ArgumentError);
    }
    expect(await ask(upstream)).toBe('a');
  });
});

describe('resolve', () => {
  it('a function says which servers a name stands for; those that it drops get no more, at once', async () => {
    await using a = await answering('a', { transport: 'tcp' });
    await using b = await answering('b', { transport: 'tcp' });
    let found = [a.address, b.address];
    const asked: string[] = [];
    await using upstream = new Upstream(['fpm.internal:9000'], {
      resolve: (name, port) => {
        asked.push(`${name}:${port}`);
        return found;
      },
      resolveInterval: 50,
      keepaliveTime: 0,
      keepaliveTimeout: 0,
    });
    expect(new Set(await askInTurn(upstream, 6))).toEqual(new Set(['a', 'b']));
    expect(asked[0]).toBe('fpm.internal:9000');
    expect(upstream.stats.servers[0]).toMatchObject({ address: a.address, origin: 'fpm.internal:9000' });
    found = [b.address];
    await waitFor(() => upstream.stats.servers.length === 1);
    expect(new Set(await askInTurn(upstream, 6))).toEqual(new Set(['b']));
    expect(a.connections).toBe(0);
  });

  it('the last good answer is kept while there is none', async () => {
    await using a = await answering('a', { transport: 'tcp' });
    let asked = 0;
    await using upstream = new Upstream(['fpm.internal:9000'], {
      resolve: () => {
        if (asked++ > 0) throw new Error('SERVFAIL');
        return [a.address];
      },
      resolveInterval: 30,
      keepaliveTime: 0,
      keepaliveTimeout: 0,
    });
    await ask(upstream);
    await waitFor(() => asked > 3);
    expect(await ask(upstream)).toBe('a');
  });

  it('a failed connect asks again at once, at most once a second', async () => {
    await using a = await answering('a', { transport: 'tcp' });
    await using gone = await answering('gone', { transport: 'tcp' });
    let asked = 0;
    await using upstream = new Upstream(['fpm.internal:9000'], {
      resolve: () => (asked++ === 0 ? [gone.address] : [a.address]),
      resolveInterval: 60_000,
      connectTimeout: 4000,
    });
    expect(await ask(upstream)).toBe('gone');
    await gone.stop();
    // Refused until it may be asked again; then the request that has waited goes to the new address.
    expect(await ask(upstream)).toBe('a');
    expect(asked).toBe(2);
  });

  it('true: a real name has all its addresses', async () => {
    await using a = await answering('a', { transport: 'tcp' });
    const port = a.address.split(':')[1];
    await using upstream = new Upstream([`localhost:${port}`], { resolve: true });
    expect(await askInTurn(upstream, 3)).toEqual(['a', 'a', 'a']);
    expect(upstream.stats.servers.map(({ address }) => address)).toContain(`127.0.0.1:${port}`);
  });

  it('a name that nobody knows fails as such', async () => {
    await using upstream = new Upstream(['nobody.invalid:9000'], { resolve: true, connectTimeout: 300 });
    const error: unknown = await upstream.request({ params: GET }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'FCGI_ERR_NO_LIVE_UPSTREAM', executed: 'no' });
    expect(String(error instanceof Error && 'hint' in error ? error.hint : '')).toContain('does not resolve');
  });
});

describe('a subset', () => {
  it('is all that is asked, also of servers that come later; two gateways have all between them', async () => {
    const servers = await Promise.all(['a', 'b', 'c', 'd'].map((name) => answering(name)));
    const addresses = servers.map(({ address }) => address);
    const asked: string[] = [];
    for (const gateway of [0, 1]) {
      await using upstream = new Upstream(addresses.slice(0, 2), { subset: { size: 2, gateway } });
      upstream.update(addresses);
      expect(upstream.stats.servers.filter(({ state }) => state !== 'leaving')).toHaveLength(2);
      asked.push(...new Set(await askInTurn(upstream, 8)));
    }
    expect(asked.sort()).toEqual(['a', 'b', 'c', 'd']);
    await Promise.all(servers.map((server) => server.stop()));
  });
});

describe('a health check', () => {
  it('brings a server back that is left alone for long, and no request has to try', async () => {
    let hangs = true;
    await using a = await answering('a', {
      script: (request, response) =>
        hangs ? response.hang() : response.stdout(`${HEAD}${request.params['SCRIPT_NAME'] ?? 'a'}`),
    });
    await using b = await answering('b');
    await using upstream = new Upstream([{ address: a.address, failTimeout: 60_000 }, b.address], {
      headersTimeout: 100,
      keepaliveTime: 0,
      keepaliveTimeout: 0,
      healthCheck: { interval: 50, timeout: 50 },
    });
    await askInTurn(upstream, 3);
    const before = a.requests.length;
    await waitFor(() => a.requests.length > before + 1);
    expect(a.requests.at(-1)?.params['SCRIPT_NAME']).toBe('/ping');
    expect(a.requests.at(-1)?.keepConn).toBe(false);
    expect(stateOf(upstream, a.address)).toBe('failed');
    hangs = false;
    await waitFor(() => stateOf(upstream, a.address) === 'trial');
    await waitFor(async () => (await ask(upstream)) === 'a');
    expect(stateOf(upstream, a.address)).toBe('up');
  });

  it('goes on while nobody asks for anything, and a server is not tried with a request before it has passed', async () => {
    let hangs = true;
    await using a = await answering('a', {
      script: (_, response) => (hangs ? response.hang() : response.stdout(`${HEAD}a`)),
    });
    await using b = await answering('b');
    await using upstream = new Upstream([{ address: a.address, failTimeout: 10 }, b.address], {
      headersTimeout: 100,
      keepalive: 0,
      healthCheck: { interval: 20, timeout: 50 },
    });
    await askInTurn(upstream, 3);
    await waitFor(() => upstream.stats.connected === 0);
    const before = a.requests.length;
    await waitFor(() => a.requests.length > before + 2);
    // Its time of being left alone is long over.
    expect(stateOf(upstream, a.address)).toBe('failed');
    expect(upstream.stats).toMatchObject({ connected: 0, queued: 0 });
    hangs = false;
    await waitFor(() => stateOf(upstream, a.address) === 'trial');
  });

  it('that goes on keeps no process alive', async () => {
    await using a = await hanging();
    const code = `
      import { Upstream } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
      const [address, b] = process.argv.slice(1);
      const upstream = new Upstream([address, { address: b, backup: true }], {
        headersTimeout: 50, keepalive: 0, healthCheck: { interval: 20, timeout: 20 },
      });
      await upstream.request({ params: { SCRIPT_FILENAME: '/a.php', REQUEST_METHOD: 'GET' } }).catch(() => {});
      console.log(upstream.stats.servers[0].state);`;
    await using b = await answering('b');
    const child = spawn(process.execPath, ['--input-type=module', '-e', code, a.address, b.address]);
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
    });
    await once(child, 'close');
    expect([said.trim(), child.exitCode]).toEqual(['failed', 0]);
  });
});
