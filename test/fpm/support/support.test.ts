import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  establishedTo,
  type Fpm,
  gone,
  isAlive,
  startApache,
  startFpm,
  startHaproxy,
  startNginx,
  waitFor,
} from './index.ts';

describe.each(['unix', 'tcp'] as const)('a private PHP-FPM (%s)', (transport) => {
  it('accepts connections when it is handed out, and leaves no process and no file behind', async () => {
    const fpm = await startFpm({ transport, maxChildren: 3 });
    const workers = await fpm.workers();
    expect(workers).toHaveLength(3);
    await new Promise<void>((resolve, reject) => {
      const socket = connect(fpm.endpoint, () => resolve(socket.destroy() && undefined));
      socket.once('error', reject);
    });
    const { pid } = fpm;
    await fpm.stop();
    expect([pid, ...workers].filter(isAlive)).toEqual([]);
    expect(existsSync(fpm.root)).toBe(false);
  });

  it('has new workers and the same address after a reload and after a restart', async () => {
    await using fpm = await startFpm({ transport });
    const first = await fpm.workers();
    await fpm.reload();
    const second = await fpm.workers();
    expect(second.filter((pid) => first.includes(pid))).toEqual([]);
    await fpm.restart();
    await gone(second);
    expect(await fpm.workers()).toHaveLength(2);
  });
});

it('a PHP-FPM that cannot start rejects with its own words', async () => {
  await expect(startFpm({ extra: 'no_such_setting = 1' })).rejects.toThrow(/no_such_setting/);
});

describe.each(['unix', 'tcp'] as const)('in front of a PHP-FPM (%s)', (transport) => {
  const files = { 'index.php': 'echo $_SERVER["REQUEST_METHOD"], " ", $_SERVER["PATH_INFO"] ?? "", "\\n";' };

  it.each([
    ['nginx', startNginx],
    ['Apache', startApache],
    ['HAProxy', (options: { fpm: Fpm }) => startHaproxy({ mode: 'fcgi', ...options })],
  ])('%s runs scripts with PATH_INFO and keeps its connection', async (_, start) => {
    await using fpm = await startFpm({ transport, files });
    await using server = await start({ fpm });
    for (let i = 0; i < 3; i++) {
      const response = await fetch(`${server.url}/index.php/a/b`, { method: 'POST', body: 'x=1' });
      expect(await response.text()).toBe('POST /a/b\n');
      expect(response.status).toBe(200);
    }
    // Fewer than requests, and not none: each of HAProxy's threads may keep one of its own.
    const kept = await establishedTo(fpm.endpoint);
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(3);
  });

  it('HAProxy hands bytes through in tcp mode', async () => {
    await using fpm = await startFpm({ transport, files });
    await using proxy = await startHaproxy({ mode: 'tcp', fpm });
    const socket = connect(proxy.endpoint);
    await once(socket, 'connect');
    await waitFor(async () => (await establishedTo(fpm.endpoint, proxy.pid)) === 1);
    expect(await establishedTo(proxy.endpoint, process.pid)).toBe(1);
    socket.destroy();
  });
});
