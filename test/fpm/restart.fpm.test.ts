import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Pool } from '../../src/upstream/pool.ts';
import { executionLog, startFpm, waitFor } from './support/index.ts';

describe.each(['unix', 'tcp'] as const)('php-fpm is restarted (%s)', (transport) => {
  it('and a request that had waited in its backlog for long is sent again, to the new one', async () => {
    await using fpm = await startFpm({ transport, maxChildren: 1 });
    const log = executionLog(fpm.root);
    const mark = join(fpm.root, 'mark');
    // Longer than the pool holds back the end of STDIN from a server it knows nothing of.
    const slow = fpm.script('slow.php', `usleep(200000); touch('${mark}'); sleep(60);`);
    const quick = { ...fpm.script('quick.php', `${log.php} echo 'ran';`), REQUEST_METHOD: 'POST' };
    await using pool = new Pool(fpm.address, { connections: 2 });
    const first = await pool.request({ params: { ...quick, REQUEST_ID: 'first' } });
    expect(await first.body.text()).toBe('ran');

    const busy = pool.request({ params: slow }).catch((error: unknown) => error);
    const waits = pool.request({ params: { ...quick, REQUEST_ID: 'waits' }, body: 'a=1' });
    await waitFor(() => existsSync(mark));
    await fpm.restart();

    expect(await busy).toMatchObject({ executed: 'unknown' });
    const answer = await waits;
    expect(await answer.body.text()).toBe('ran');
    expect(await answer.ended).toMatchObject({ attempts: 2, reused: false });
    expect([...log.executions()]).toEqual([
      ['first', 1],
      ['waits', 1],
    ]);
  });
});
