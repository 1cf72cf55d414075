/** What keepalive is worth by itself: on a unix socket, over tcp, and over tcp with a millisecond's round trip. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Cost } from '../lib/measure.ts';
import type { Row } from '../lib/table.ts';

const run = promisify(execFile);

/** A loopback of its own whose packets are half a millisecond under way; needs root. */
const SLOW = 'ip link set lo up && tc qdisc add dev lo root netem delay 0.5ms && exec "$0" "$@"';

export async function worth(bundle: URL, count: number, turns: number): Promise<Row[]> {
  const child = [process.execPath, new URL('worth.js', bundle).pathname];
  const rows: Row[] = [];
  for (const [what, before, transport, share] of [
    ['unix socket', [], 'unix', 1],
    ['tcp', [], 'tcp', 1],
    ['tcp, 1 ms away', ['unshare', '-n', 'sh', '-c', SLOW], 'tcp', 0.2],
  ] as const) {
    const [program = '', ...args] = [...before, ...child, transport, String(count * share), String(turns)];
    const stdout = await run(program, args).then(
      (done) => done.stdout,
      (error: Error) => {
        // Not every kernel has netem, and not every user may ask for it.
        if (before.length > 0 && /tc |qdisc|unshare|not permitted/.test(error.message)) return null;
        throw error;
      },
    );
    if (stdout === null) {
      rows.push({
        what: `keepalive's own worth: ${what}`,
        ours: '',
        other: 'not measured: no netem here',
        ratio: Number.NaN,
      });
      continue;
    }
    const { kept, fresh }: { kept: Cost; fresh: Cost } = JSON.parse(stdout);
    const rate = (wall: number): string => `${Math.round(1_000_000 / wall)} a second`;
    rows.push({
      what: `keepalive's own worth: ${what}`,
      ours: rate(kept.wall),
      other: `without ${rate(fresh.wall)}`,
      ratio: fresh.wall / kept.wall,
    });
  }
  return rows;
}
