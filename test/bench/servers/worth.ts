/** What keepalive is worth: TRANSPORT SECONDS; a process of its own, as it may live in a network namespace. */
import { Pool } from '../../../src/index.ts';
import { startFpm } from '../../fpm/support/index.ts';
import { requesting } from '../lib/loops.ts';
import { inTurns } from '../lib/measure.ts';
import { typicalParams } from '../lib/records.ts';

const LANES = 4;
const [transport = 'unix', count = '2000', turns = '5'] = process.argv.slice(2);
const options = {
  transport: transport === 'unix' ? 'unix' : 'tcp',
  maxChildren: LANES,
  files: { 'hello.php': '<?php echo "hello";' },
} as const;

await using kept = await startFpm(options);
await using fresh = await startFpm(options);
await using keeping = new Pool(kept.address, { connections: LANES, keepaliveRequests: 0 });
await using dialling = new Pool(fresh.address, { connections: LANES, keepalive: 0 });
const costs = await inTurns(
  {
    kept: requesting(keeping, { params: typicalParams(kept.root) }, LANES),
    fresh: requesting(dialling, { params: typicalParams(fresh.root) }, LANES),
  },
  Number(count),
  Number(turns),
);
process.stdout.write(JSON.stringify(costs));
