/** What keepalive is worth by itself: on a unix socket, over tcp, and over tcp with a millisecond for each packet. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Cost } from '../lib/measure.ts';
import type { Row } from '../lib/table.ts';

const run = promisify(execFile);

/** A network of its own; needs root. */
const ALONE = ['unshare', '-n', 'sh', '-c', 'ip link set lo up && exec "$0" "$@"'];

export async function worth(bundle: URL, count: number, turns: number): Promise<Row[]> {
  const child = [process.execPath, new URL('worth.js', bundle).pathname];
  const rows: Row[] = [];
  for (const [what, before, transport, share] of [
    ['unix', [], 'unix', 1],
    ['tcp', [], 'tcp', 1],
    ['tcp, 1 ms a packet', ALONE, 'lag', 0.2],
  ] as const) {
    if (before.length > 0 && process.getuid?.() !== 0) {
      rows.push({ what: `keepalive's own worth, ${what}`, ours: '', other: 'needs root', ratio: Number.NaN });
      continue;
    }
    const [program = '', ...args] = [...before, ...child, transport, String(count * share), String(turns)];
    const { kept, fresh } = await run(program, args).then(
      ({ stdout }): { kept: Cost; fresh: Cost } => JSON.parse(stdout),
      (error: Error) => {
        throw new Error(`${what} could not be measured`, { cause: error });
      },
    );
    const rate = ({ wall }: Cost): number => 1_000_000 / wall;
    const shown = (cost: Cost): string => `${Math.round(rate(cost))} a second`;
    rows.push({
      what: `keepalive's own worth, ${what}`,
      ours: shown(kept),
      other: `without ${shown(fresh)}`,
      ratio: fresh.wall / kept.wall,
      bar: [`${what}: times as many requests with it`, fresh.wall / kept.wall],
    });
  }
  return rows;
}
