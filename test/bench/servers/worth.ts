/** What keepalive is worth: TRANSPORT COUNT TURNS; a process of its own, as `lag` lives in a network namespace. */
import { Pool } from '../../../src/index.ts';
import { startFpm } from '../../fpm/support/index.ts';
import { startChild } from '../lib/child.ts';
import { FAR, NEAR } from '../lib/lagging.ts';
import { requesting } from '../lib/loops.ts';
import { inTurns } from '../lib/measure.ts';
import { typicalParams } from '../lib/records.ts';

const LANES = 4;
const [transport = 'unix', count = '2000', turns = '5'] = process.argv.slice(2);
const isLagging = transport === 'lag';
const options = {
  transport: transport === 'unix' ? 'unix' : 'tcp',
  host: isLagging ? NEAR : '127.0.0.1',
  maxChildren: LANES,
  files: { 'hello.php': '<?php echo "hello";' },
} as const;

const lag = isLagging ? await startChild(new URL('./', import.meta.url), 'lag', []) : null;
await using kept = await startFpm(options);
await using fresh = await startFpm(options);
const seen = (address: string): string => (isLagging ? address.replace(NEAR, FAR) : address);
await using keeping = new Pool(seen(kept.address), { connections: LANES, keepaliveRequests: 0 });
await using dialling = new Pool(seen(fresh.address), { connections: LANES, keepalive: 0 });
const costs = await inTurns(
  {
    kept: requesting(keeping, { params: typicalParams(kept.root) }, LANES),
    fresh: requesting(dialling, { params: typicalParams(fresh.root) }, LANES),
  },
  Number(count),
  Number(turns),
);
process.stdout.write(JSON.stringify(costs));
await lag?.stop();
