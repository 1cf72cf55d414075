/** 1 GiB down and up through the gateway, beside nginx, nothing buffered by either; and what memory it takes. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startFpm, startNginx } from '../../fpm/support/index.ts';
import { startChild } from '../lib/child.ts';
import { median } from '../lib/measure.ts';
import type { Row } from '../lib/table.ts';

const run = promisify(execFile);
const MIB = 1024 * 1024;

const files = {
  'down.php': '<?php $p = str_repeat("x", 65536); for ($i = (int) $_GET["mib"] * 16; $i > 0; $i--) echo $p;',
  'up.php':
    '<?php $n = 0; $in = fopen("php://input", "r"); while (!feof($in)) $n += strlen(fread($in, 65536)); echo $n;',
};

export async function streams(bundle: URL, mib: number, turns: number): Promise<Row[]> {
  // Compared: bytes on their way. A PUT, as PHP writes the body of a POST to its disk first.
  const php = { transport: 'unix', maxChildren: 2, files, phpIni: { output_buffering: '0' } } as const;
  await using forOurs = await startFpm(php);
  await using forNginx = await startFpm(php);
  const ours = await startChild(bundle, 'gateway', [forOurs.address, forOurs.root, '2', 'stream']);
  const extra = 'fastcgi_buffering off; fastcgi_request_buffering off; client_max_body_size 0;';
  const nginx = await startNginx({ fpm: forNginx, keepalive: 2, extra });
  try {
    const seconds = { down: { ours: [0], nginx: [0] }, up: { ours: [0], nginx: [0] } };
    await download(ours.address, 16);
    await upload(ours.address, 16);
    const before = ours.memory().now;
    for (let turn = 0; turn < turns; turn++) {
      for (const [name, url] of [
        ['ours', ours.address],
        ['nginx', nginx.url],
      ] as const) {
        seconds.down[name][turn] = await download(url, mib);
        seconds.up[name][turn] = await upload(url, mib);
      }
    }
    const growth = (ours.memory().most - before) / MIB;
    const rate = (list: number[]): number => mib / median(list);
    return [
      ...(['down', 'up'] as const).map((way) => ({
        what: `${mib} MiB ${way}`,
        ours: `${Math.round(rate(seconds[way].ours))} MiB/s`,
        other: `nginx ${Math.round(rate(seconds[way].nginx))} MiB/s`,
        ratio: rate(seconds[way].ours) / rate(seconds[way].nginx),
        least: 0.8,
      })),
      { what: 'memory that takes, MiB', ours: growth.toFixed(0), other: '32', ratio: growth / 32, most: 1 },
    ];
  } finally {
    await ours.stop();
    await nginx.stop();
  }
}

async function download(url: string, mib: number): Promise<number> {
  const format = '%{size_download} %{time_total}';
  const { stdout } = await run('curl', [
    '-sS',
    '-o',
    '/dev/null',
    '-w',
    format,
    `${url}/down.php?mib=${mib}`,
  ]);
  const [size, time] = stdout.split(' ').map(Number);
  if (size !== mib * MIB) throw new Error(`${url} sent ${size} bytes, not ${mib * MIB}`);
  return time ?? Number.NaN;
}

async function upload(url: string, mib: number): Promise<number> {
  const command = `head -c ${mib * MIB} /dev/zero | curl -sS -T - -H 'Content-Length: ${mib * MIB}' -H 'Transfer-Encoding:' -H 'Expect:' -w ' %{time_total}' '${url}/up.php'`;
  const { stdout } = await run('sh', ['-c', command]);
  const [size, time] = stdout.split(' ').map(Number);
  if (size !== mib * MIB) throw new Error(`${url} counted ${size} bytes, not ${mib * MIB}`);
  return time ?? Number.NaN;
}
