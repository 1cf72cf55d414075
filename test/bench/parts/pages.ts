/**
 * Pages of the sizes that applications have, over tcp: PHP-FPM waits for acknowledgements there (see src/pool/learned/delayed-acks.ts).
 * A new pool for each, beside one that keeps nothing, and nginx. The first moments, in which it learns, are measured as well.
 */
import { Pool } from '../../../src/index.ts';
import { type Fpm, startFpm, startNginx } from '../../fpm/support/index.ts';
import { answersOf, ask } from '../lib/php.ts';
import { typicalParams } from '../lib/records.ts';
import type { Row } from '../lib/table.ts';

const WORKERS = 4;
const CLIENTS = 2 * WORKERS;
const KIB = [5, 20, 60];

export async function pages(seconds: number, sizes: number = KIB.length): Promise<Row[]> {
  const files = { 'page.php': `<?php echo str_repeat('x', 1024 * $_GET['kib']);` };
  const start = (): Promise<Fpm> => startFpm({ transport: 'tcp', maxChildren: WORKERS, files });
  await using fpm = await start();
  await using plain = await startNginx({ fpm, keepalive: 0 });
  // One of its own: what nginx keeps holds all workers for a minute.
  await using held = await start();
  await using kept = await startNginx({ fpm: held, keepalive: WORKERS });
  const ms = 1_000 * seconds;
  const rows: Row[] = [];
  for (const kib of KIB.slice(-sizes)) {
    // Who comes first would run the code of this process while it is not compiled yet.
    await byPool(fpm, kib, { keepalive: 0 }, ms / 4);
    const ours = await byPool(fpm, kib, {}, ms);
    const fresh = await byPool(fpm, kib, { keepalive: 0 }, ms);
    const byNginx = (url: string): Promise<number> =>
      answersOf(async () => (await ask(`${url}/page.php?kib=${kib}`, 10_000)).status === 200, CLIENTS, ms);
    const nginx = await byNginx(plain.url);
    const nginxKept = await byNginx(kept.url);
    const rate = (answers: number): string => `${(answers / seconds).toFixed(0)} a second`;
    rows.push({
      what: `pages of ${kib} KiB over tcp`,
      ours: rate(ours),
      other: `keepalive: 0 ${rate(fresh)}; nginx by HTTP ${rate(nginx)}, with keepalive ${rate(nginxKept)}`,
      ratio: ours / fresh,
    });
  }
  return rows;
}

async function byPool(fpm: Fpm, kib: number, options: { keepalive?: number }, ms: number): Promise<number> {
  await using pool = new Pool(fpm.address, { connections: WORKERS, ...options });
  const params = { ...typicalParams(fpm.root, '/page.php'), QUERY_STRING: `kib=${kib}` };
  const one = async (): Promise<boolean> =>
    (await (await pool.request({ params })).body.bytes()).length === 1_024 * kib;
  return await answersOf(one, CLIENTS, ms);
}
