import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { gone, isAlive, startFpm } from './fpm.ts';

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
