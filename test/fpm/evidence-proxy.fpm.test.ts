/** A TCP proxy that nobody has told of: what it does to a connection proves nothing, and the pool finds out. */
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Pool } from '../../src/pool/pool.ts';
import { ended, Recorder } from '../pool/support.ts';
import { executionLog, type Fpm, startFpm, startHaproxy, startRelay, startSocat } from './support/index.ts';
import type { RelayOptions } from './support/relay.ts';

const KINDS = [
  'socat',
  'haproxy',
  'one that resets whatever has ended',
  'one that hands each end on as it was, and goes on reading',
] as const;

async function startProxy(
  kind: (typeof KINDS)[number],
  fpm: Fpm,
): Promise<{ address: string; stop(): Promise<void> }> {
  if (kind === 'socat') return startSocat(fpm);
  if (kind === 'one that resets whatever has ended') {
    return relay(fpm, (client, there) => {
      for (const end of ['end', 'close']) there.on(end, () => client.resetAndDestroy());
    });
  }
  if (kind !== 'haproxy') {
    return relay(fpm, (client, there) => {
      there.on('end', () => client.end());
      there.on('error', (error: NodeJS.ErrnoException) => {
        if (error.syscall === 'read') client.resetAndDestroy();
      });
    });
  }
  const proxy = await startHaproxy({ mode: 'tcp', fpm });
  return {
    address: `${proxy.endpoint.host}:${proxy.endpoint.port}`,
    stop: () => proxy[Symbol.asyncDispose](),
  };
}

async function relay(
  fpm: Fpm,
  ends: NonNullable<RelayOptions['ends']>,
): Promise<{ address: string; stop(): Promise<void> }> {
  const server = await startRelay(fpm.endpoint, { host: '127.0.0.1', port: 0 }, { ends });
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    stop: async () => {
      server.close();
    },
  };
}

describe.each(KINDS)('behind %s, which nobody has told of', (kind) => {
  it.each(['unix', 'tcp'] as const)(
    'a POST whose worker dies runs once, fresh or kept (php-fpm on %s)',
    async (transport) => {
      await using fpm = await startFpm({ transport, maxChildren: 4 });
      const log = executionLog(fpm.root);
      const proxy = await startProxy(kind, fpm);
      const { address } = proxy;
      const page = fpm.script('page.php', `${log.php} echo 'ok';`);
      const die = fpm.script('die.php', `${log.php} posix_kill(getmypid(), 9);`);
      const form = { REQUEST_METHOD: 'POST', CONTENT_TYPE: 'application/x-www-form-urlencoded' };
      await using fresh = new Pool(address);
      await expect(
        fresh.request({ params: { ...die, ...form, REQUEST_ID: 'fresh' }, body: 'a=1' }),
      ).rejects.toMatchObject({ executed: 'unknown', attempts: 1 });

      await using kept = new Pool(address);
      // In the very turn in which the page is complete, and once more when the connection is known to be good.
      await ended(kept, { params: { ...page, REQUEST_ID: 'page' } });
      const racing = new Recorder();
      kept.dispatch({ params: { ...die, ...form, REQUEST_ID: 'kept' }, body: 'a=1' }, racing);
      expect(await racing.over).toMatchObject({
        executed: 'unknown',
        attempts: 1,
        hint: expect.stringContaining('proxied: true'),
      });
      // It has learned: what must not run twice goes out on fresh connections from now on.
      await ended(kept, { params: { ...page, REQUEST_ID: 'again' } });
      const post = await ended(kept, { params: { ...page, ...form, REQUEST_ID: 'post' }, body: 'a=1' });
      expect(post).toMatchObject({ reused: false, attempts: 1 });
      await proxy.stop();
      expect([...log.executions()].filter(([, count]) => count !== 1)).toEqual([]);
      expect(log.executions().size).toBe(5);
    },
  );
});
