/**
 * npm run bench -- [--only PART] [--quick | --brief]
 *
 * Ratios, as machines are noisy: ours and what it is compared with run in the same process or beside each other, in
 * turns, and medians are shown. Nothing else should run meanwhile. `--brief` measures nothing: it shows that all parts run.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { print, type Row } from './lib/table.ts';
import { clientCpu, clientOnPhp } from './parts/client.ts';
import { codec } from './parts/codec.ts';
import { gateway } from './parts/gateway.ts';
import { peers } from './parts/peers.ts';
import { scale } from './parts/scale.ts';
import { start } from './parts/start.ts';
import { streams } from './parts/streams.ts';
import { worth } from './parts/worth.ts';

const efforts = {
  whole: { share: 1, turns: 7, seconds: 4, mib: 1024 },
  quick: { share: 0.25, turns: 3, seconds: 1, mib: 128 },
  brief: { share: 0.02, turns: 1, seconds: 1, mib: 8 },
};

export async function bench(args: readonly string[], bundle: URL): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: '' },
      quick: { type: 'boolean', default: false },
      brief: { type: 'boolean', default: false },
    },
  });
  const { share, turns, seconds, mib } = efforts[values.brief ? 'brief' : values.quick ? 'quick' : 'whole'];
  const parts: Record<string, () => Promise<Row[]>> = {
    client: () => clientCpu(bundle, 40_000 * share, turns),
    peers: () => peers(bundle, 10_000 * share, turns),
    php: () => clientOnPhp(20_000 * share, turns),
    gateway: () => gateway(bundle, seconds, Math.min(turns, 5)),
    codec: () => codec(turns),
    streams: () => streams(bundle, mib, Math.min(turns, 3)),
    scale: () => scale(bundle, 50_000 * share, turns),
    worth: () => worth(bundle, 5_000 * share, turns),
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
