/**
 * npm run bench -- [--only PART,PART] [--quick | --brief]
 *
 * Ratios, as machines are noisy: ours and what it is compared with run in the same process or beside each other, in
 * turns, and medians are shown. Nothing else should run meanwhile. `--brief` measures nothing: it shows that all parts run.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { print, type Row } from './lib/table.ts';
import { channels } from './parts/channels.ts';
import { clientCpu, clientOnPhp } from './parts/client.ts';
import { codec } from './parts/codec.ts';
import { failover } from './parts/failover.ts';
import { fair } from './parts/fair.ts';
import { gateway } from './parts/gateway.ts';
import { hosts } from './parts/hosts.ts';
import { overload } from './parts/overload.ts';
import { pages } from './parts/pages.ts';
import { peers } from './parts/peers.ts';
import { processes } from './parts/processes.ts';
import { rolling } from './parts/rolling.ts';
import { scale } from './parts/scale.ts';
import { site } from './parts/site.ts';
import { start } from './parts/start.ts';
import { steady } from './parts/steady.ts';
import { streams } from './parts/streams.ts';
import { workers } from './parts/workers.ts';
import { worth } from './parts/worth.ts';

const efforts = {
  whole: { share: 1, turns: 7, seconds: 4, mib: 1024, use: { seconds: 3, pools: 10, pages: 8 } },
  quick: { share: 0.25, turns: 3, seconds: 1, mib: 128, use: { seconds: 2, pools: 2, pages: 8 } },
  brief: { share: 0.02, turns: 1, seconds: 1, mib: 8, use: { seconds: 0.2, pools: 1, pages: 1 } },
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
  const { share, turns, seconds, mib, use } =
    efforts[values.brief ? 'brief' : values.quick ? 'quick' : 'whole'];
  const parts: Record<string, () => Promise<Row[]>> = {
    client: () => clientCpu(bundle, 40_000 * share, turns),
    channels: () => channels(bundle, 20_000 * share, 3 * turns),
    peers: () => peers(bundle, 10_000 * share, turns),
    php: () => clientOnPhp(20_000 * share, turns),
    gateway: () => gateway(bundle, seconds, Math.min(turns, 5), values.brief),
    processes: () =>
      processes(new URL('../../../../dist/', bundle), seconds, Math.min(turns, 3), values.brief),
    site: () => site(new URL('../../../../dist/', bundle), bundle, turns, values.brief),
    codec: () => codec(turns),
    workers: () => workers(use),
    fair: async () => {
      const time = values.brief ? 0.5 : 2 + seconds;
      return [...(await fair(bundle, time, values.brief)), ...(await steady(bundle, time, values.brief))];
    },
    overload: () => overload(bundle, values.brief ? 0.5 : 2 + seconds, values.brief),
    streams: () => streams(bundle, mib, Math.min(turns, 3)),
    scale: () => scale(bundle, 50_000 * share, turns),
    pages: () => (values.brief ? pages(0.2, 1) : pages(seconds)),
    worth: () => worth(bundle, 5_000 * share, turns),
    failover: () => failover(values.brief),
    hosts: () => hosts(values.brief),
    rolling: () => rolling(100_000 * share),
    start: () => start(new URL('../../../../', bundle), turns),
  };
  const chosen = Object.entries(parts).filter(([name]) =>
    values.only.split(',').some((only) => name.includes(only)),
  );
  const unknown = values.only.split(',').find((only) => !chosen.some(([name]) => name.includes(only)));
  if (unknown !== undefined)
    throw new Error(`--only ${unknown} must be part of one of ${Object.keys(parts).join(', ')}`);
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
