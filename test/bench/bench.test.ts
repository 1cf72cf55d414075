/** The benches run, all of them: what they measure is for a quiet machine. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);
const program = fileURLToPath(new URL('bench.mjs', import.meta.url));

it.each([
  ['client', 'CPU of dispatch()'],
  ['peers', 'CPU of the best Node peer'],
  ['php', 'throughput of request() on php-fpm'],
  ['gateway', 'a hello page'],
  ['processes', 'serve --workers 2, a hello page'],
  ['site', 'a file of 3.5 KiB', 'a pretty URL', 'the access log', 'from start to the first page'],
  [
    'workers,fair,overload',
    'workers used, unix',
    'one more client beside 3 busy gateways',
    '3 times what 4 workers can do',
  ],
  ['codec', 'decode 64 KiB records'],
  ['streams', 'MiB down'],
  ['scale', 'an idle connection'],
  ['pages', 'pages of 60 KiB over tcp'],
  ['worth', "keepalive's own worth, tcp, 1 ms a packet"],
  ['failover,hosts,rolling', 'A accepts and never answers', 'one slow', 'three hosts restarted in turn'],
  ['start', "import 'fastcgi-pool'"],
])(
  'npm run bench -- --only %s has a row for %s',
  async (part, ...rowsOfPart) => {
    const { stdout } = await run(process.execPath, ['--expose-gc', program, '--brief', '--only', part]);
    const rows = stdout.split('\n').filter((line) => /^\| .* \| .* \|/.test(line));
    for (const row of rowsOfPart) expect(rows.join('\n')).toContain(row);
  },
  120_000,
);

it('a part that does not exist is named', async () => {
  await expect(run(process.execPath, [program, '--only', 'nonsense'])).rejects.toThrow('--only');
}, 120_000);
