import { describe, expect, it } from 'vitest';
import { Pool } from '../../src/pool/pool.ts';
import { startFpm, waitFor } from './support/index.ts';

describe.each(['unix', 'tcp'] as const)('a script that goes on behind its answer (%s)', (transport) => {
  it('makes one request wait, and is not kept again even before that one has its answer', async () => {
    await using fpm = await startFpm({ transport, maxChildren: 3 });
    const quick = fpm.script('quick.php', `echo 'quick';`);
    const tail = fpm.script('tail.php', `echo 'done'; fastcgi_finish_request(); usleep(1500000);`);
    await using pool = new Pool(fpm.address, { connections: 3 });
    const run = async (params: typeof quick): Promise<string> => (await pool.request({ params })).body.text();
    for (let i = 0; i < 5; i++) await run(quick);
    await run(tail);
    let waiting = true;
    const waits = run(quick).finally(() => {
      waiting = false;
    });
    // Far longer than quick.php ever took, and far shorter than the tail.
    const sent = performance.now();
    await waitFor(() => performance.now() - sent > 400);
    await run(tail);
    expect(pool.stats.closed['not-kept']).toBe(1);
    expect(await run(quick)).toBe('quick');
    expect(waiting).toBe(true);
    expect(await waits).toBe('quick');
  });
});
