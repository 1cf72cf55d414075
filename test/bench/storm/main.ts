/** Runs the rows one after the other: they share two cores, and must not share more. */
import { spawnSync } from 'node:child_process';
import { need } from '../../fpm/support/index.ts';
import { readArgs, type StormOptions, usage } from './args.ts';
import { type Contender, OURS, RIVALS } from './contenders.ts';
import { broken, report, why } from './report.ts';
import { type Row, rows } from './rows.ts';
import { type Amount, type Result, runRow } from './run.ts';

/** An upload is so many times the work of another request, and gets so much smaller a share of `--requests`. */
const UPLOAD_SHARE = 1 / 20;
/** Workers are recycled about as often in each row: to start one takes far longer than to run a request. */
const WHOLE_SHARE = 50;

/** Resolves with the exit status: 1 where a promise of ours is broken, 2 where the arguments are. */
export async function storm(args: readonly string[]): Promise<number> {
  let options: StormOptions;
  try {
    options = readArgs(args);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    return 2;
  }
  const { only, quick, rivals } = options;
  const chosen = rows.filter((row) => row.name.includes(only) && (row.quick || !quick));
  if (chosen.length === 0) {
    process.stderr.write(`no row has ${only} in its name: ${rows.map(({ name }) => name).join(', ')}\n`);
    return 2;
  }
  const contenders: readonly Contender[] = rivals ? [...OURS, ...RIVALS] : OURS;
  const amountOf = amounts(chosen, options);
  const results: Result[] = [];
  const wrong: string[] = [];
  for (const row of chosen) {
    for (const contender of contenders) {
      const isOurs = OURS.some((ours) => ours === contender);
      // A pool that knows of the proxy is what this row is about.
      if (row.proxied && !isOurs) continue;
      if (row.server !== undefined && contender !== 'pool') continue;
      const result = await runRow(row, contender, amountOf(row));
      results.push(result);
      if (isOurs) wrong.push(...broken(result));
      const { sent, failed, twice, lost } = result.tally;
      process.stderr.write(
        `${row.name}, ${contender}: ${sent} sent, ${failed} failed, ${twice} twice, ${lost} lost\n`,
      );
      if (failed > 0) process.stderr.write(`${why(result)}\n`);
    }
  }
  process.stdout.write(report(results, contenders, versions(contenders)));
  for (const line of wrong) process.stdout.write(`BROKEN: ${line}\n`);
  if (wrong.length === 0) process.stdout.write('Every promise was kept.\n');
  return wrong.length === 0 ? 0 : 1;
}

function amounts(chosen: readonly Row[], { requests, seconds }: StormOptions): (row: Row) => Amount {
  const weight = ({ shapes, fpm }: Row): number =>
    ((fpm.maxRequests ?? WHOLE_SHARE) / WHOLE_SHARE) * (shapes.includes('upload') ? UPLOAD_SHARE : 1);
  const counted = chosen.filter(({ countable }) => countable);
  const sum = OURS.length * counted.reduce((total, row) => total + weight(row), 0);
  return (row) => {
    if (requests === null || !row.countable) {
      return { requests: Number.POSITIVE_INFINITY, seconds: Math.max(seconds, row.leastSeconds ?? 0) };
    }
    return { requests: Math.ceil((requests * weight(row)) / sum), seconds: Number.POSITIVE_INFINITY };
  };
}

function versions(contenders: readonly Contender[]): string[] {
  const php = says('php-fpm', /PHP [\d.]+/);
  const used = [`Node.js ${process.version}`, php, says('haproxy', /HAProxy version [\d.]+/)];
  if (contenders.includes('nginx')) used.push(says('nginx', /nginx\/[\d.]+/));
  if (contenders.includes('Apache')) used.push(says('apache2', /Apache\/[\d.]+/));
  return used;
}

/** nginx says it on stderr. */
function says(program: Parameters<typeof need>[0], version: RegExp): string {
  const { stdout, stderr } = spawnSync(need(program), ['-v'], { encoding: 'utf8' });
  return version.exec(stdout + stderr)?.[0] ?? program;
}
