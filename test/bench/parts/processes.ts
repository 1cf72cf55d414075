/** `serve --workers N` beside nginx with as many workers: each with a php-fpm of the same size. */
import { startFpm, startNginx } from '../../fpm/support/index.ts';
import { median } from '../lib/measure.ts';
import { startServe } from '../lib/serve.ts';
import type { Row } from '../lib/table.ts';
import { type Load, wrk } from '../lib/wrk.ts';

const CHILDREN = 4;
const CLIENTS = 8;
/** Seconds of load before anything is measured: each process compiles what is in use for itself. */
const WARM_UP = 4;

const files = {
  'hello.php': '<?php echo "hello";',
  'work.php': '<?php $end = hrtime(true) + 5_000_000; while (hrtime(true) < $end); echo "done";',
};

/** `dist`: the folder of the built package. */
export async function processes(dist: URL, seconds: number, turns: number, isBrief: boolean): Promise<Row[]> {
  const rows: Row[] = [];
  for (const workers of isBrief ? [2] : [1, 2]) {
    const fpm = await startFpm({ transport: 'unix', maxChildren: CHILDREN, files });
    const other = await startFpm({ transport: 'unix', maxChildren: CHILDREN, files });
    const nginx = await startNginx({ fpm: other, keepalive: Math.ceil(CHILDREN / workers), workers });
    const sizes = ['--workers', String(workers), '--connections', String(CHILDREN)];
    const serve = await startServe(dist, fpm.root, ['--quiet', '--upstream', `${fpm.address}`, ...sizes]);
    try {
      for (const [page, of] of [
        ['hello.php', 'a hello page'],
        ['work.php', 'a page of 5 ms'],
      ] as const) {
        const ours: Load[] = [];
        const its: Load[] = [];
        await wrk(`${serve.url}/${page}`, CLIENTS, isBrief ? 1 : WARM_UP);
        for (let turn = 0; turn < turns; turn++) {
          ours.push(await wrk(`${serve.url}/${page}`, CLIENTS, seconds));
          its.push(await wrk(`${nginx.url}/${page}`, CLIENTS, seconds));
        }
        rows.push(row(`serve --workers ${workers}, ${of}, ${CLIENTS} clients`, ours, its));
      }
    } finally {
      await serve.stop();
      await nginx.stop();
      await fpm.stop();
      await other.stop();
    }
  }
  return rows;
}

function row(what: string, ours: readonly Load[], nginx: readonly Load[]): Row {
  const [a, b] = [ours, nginx].map((loads) => median(loads.map(({ rate }) => rate)));
  const errors = (loads: readonly Load[]): number => loads.reduce((sum, one) => sum + one.errors, 0);
  return {
    what,
    ours: `${a?.toFixed(0)} a second, ${errors(ours)} errors`,
    other: `nginx ${b?.toFixed(0)} a second, ${errors(nginx)} errors`,
    ratio: (a ?? 0) / (b ?? 1),
  };
}
