/**
 * npm run bench -- [--only PART] [--quick]
 *
 * Ratios, as machines are noisy: ours and what it is compared with run in the same process or beside each other, in
 * turns, and medians are shown. Nothing else should run meanwhile.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { print, type Row } from './lib/table.ts';
import { clientCpu, clientOnPhp } from './parts/client.ts';
import { codec } from './parts/codec.ts';
import { gateway } from './parts/gateway.ts';
import { scale } from './parts/scale.ts';
import { start } from './parts/start.ts';
import { streams } from './parts/streams.ts';
import { worth } from './parts/worth.ts';

export async function bench(args: readonly string[], bundle: URL): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { only: { type: 'string', default: '' }, quick: { type: 'boolean', default: false } },
  });
  const { quick } = values;
  const turns = quick ? 3 : 7;
  const parts: Record<string, () => Promise<Row[]>> = {
    client: () => clientCpu(bundle, quick ? 10_000 : 40_000, turns),
    php: () => clientOnPhp(quick ? 4_000 : 20_000, turns),
    gateway: () => gateway(bundle, quick ? 1 : 4, quick ? 2 : 5),
    codec: () => codec(turns),
    streams: () => streams(bundle, quick ? 128 : 1024, quick ? 1 : 3),
    scale: () => scale(bundle, quick ? 20_000 : 50_000, turns),
    worth: () => worth(bundle, quick ? 1_000 : 5_000, turns),
    start: () => start(new URL('../../../../', bundle), turns),
  };
  const chosen = Object.entries(parts).filter(([name]) => name.includes(values.only));
  if (chosen.length === 0) throw new Error(`--only must be part of one of ${Object.keys(parts).join(', ')}`);
  const rows: Row[] = [];
  for (const [name, part] of chosen) {
    process.stderr.write(`${name} ...\n`);
    rows.push(...(await part()));
  }
  process.stdout.write(
    `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? '?'}\n\n${print(rows)}\n`,
  );
  return 0;
}
