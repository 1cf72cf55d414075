/** Our own process stands still: it is stopped by a signal, as a container that is frozen or a laptop that sleeps. */

import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { Child } from './support/child.ts';
import { startFpm } from './support/index.ts';

const load = fileURLToPath(new URL('support/steady-load.mjs', import.meta.url));

/** Each shorter than the stop. */
const options = {
  connections: 4,
  keepaliveTime: 0,
  headersTimeout: 1_000,
  bodyTimeout: 1_000,
  connectTimeout: 1_000,
  queueTimeout: 1_000,
};

it.each(['unix', 'tcp'] as const)(
  'stopped for three seconds in the middle of load: nothing fails, and nothing is learned from it (%s)',
  { timeout: 60_000 },
  async (transport) => {
    await using fpm = await startFpm({ transport, maxChildren: 4 });
    const params = JSON.stringify(fpm.script('page.php', `usleep(20000); echo 'page';`));
    const child = await Child.start({
      command: process.execPath,
      args: [load, fpm.address, params, JSON.stringify(options), '12', '6000'],
      ready: /under way/,
    });
    try {
      child.kill('SIGSTOP');
      // This is the time that the process is to stand still, not a wait for something.
      await delay(3_000);
      child.kill('SIGCONT');
      await child.said(/"kept"/, 0, 40_000);
      const said = JSON.parse(/\{.*\}/.exec(child.log)?.[0] ?? '{}');
      expect(said.failures).toEqual([]);
      expect(said.answered).toBeGreaterThan(150);
      expect(said.workers).toBe(4);
      expect(said.kept).toBeGreaterThanOrEqual(90);
    } finally {
      await child.stop();
    }
  },
);
