/** A worker that is told to leave while it answers finishes its answer (`process_control_timeout`), and then ends at once. */
import { expect, it } from 'vitest';
import { Pool } from '../../src/pool/pool.ts';
import { executionLog, startFpm, waitFor } from './support/index.ts';

/** Over tcp the pieces behind the pause wait for acknowledgements, and for longer than the worker is there. */
const PAUSED = `
  $wait = function ($ms) { for ($from = hrtime(true); hrtime(true) - $from < $ms * 1e6;); };
  echo str_repeat('a', 9000); flush(); $wait(120);
  for ($i = 0; $i < 3; $i++) { echo str_repeat('b', 6000); flush(); $wait(0.4); }`;

it.each(['unix', 'tcp'] as const)(
  'an answer that pauses is whole where php-fpm is reloaded meanwhile (%s)',
  { timeout: 30_000 },
  async (transport) => {
    await using fpm = await startFpm({ transport, maxChildren: 2, processControlTimeout: 5 });
    const quick = fpm.script('quick.php', `echo 'quick';`);
    const paused = fpm.script('paused.php', PAUSED);
    for (let round = 0; round < 8; round++) {
      await using pool = new Pool(fpm.address, { connections: 1, keepaliveTime: 0, keepaliveTimeout: 0 });
      // A new connection is acknowledged at once; it takes a while until the kernel begins to put that off.
      for (let i = 0; i < 60; i++) await (await pool.request({ params: quick })).body.text();
      const response = await pool.request({ params: paused });
      await fpm.reload();
      expect(await response.body.text()).toHaveLength(27_000);
    }
  },
);

/** Nobody reads it before its worker is gone: most of it lies in the kernel of the server by then. A signal would end a sleep. */
const LARGE = `
  for ($from = hrtime(true); hrtime(true) - $from < 5.5e9;);
  echo str_repeat('a', 300000);`;

it('a large answer that takes seconds to make is whole where php-fpm is reloaded meanwhile, however slow its reader is', {
  timeout: 30_000,
}, async () => {
  await using fpm = await startFpm({ transport: 'tcp', maxChildren: 2, processControlTimeout: 15 });
  const log = executionLog(fpm.root);
  const quick = fpm.script('quick.php', `echo 'quick';`);
  const last = fpm.script('last.php', `header('Connection: close'); echo 'last';`);
  const large = { ...fpm.script('large.php', `${log.php} ${LARGE}`), REQUEST_ID: 'large' };
  await using pool = new Pool(fpm.address, { connections: 1 });
  // So the pool knows what the server is, and has no connection.
  for (const params of [quick, last]) await (await pool.request({ params })).body.text();
  const response = pool.request({ params: large });
  await waitFor(() => log.executions().has('large'));
  // Resolves once the old worker is gone.
  await fpm.reload();
  expect(await (await response).body.text()).toHaveLength(300_000);
});
