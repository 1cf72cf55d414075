/** The tables, in markdown. */
import type { Contender } from './contenders.ts';
import { breaches } from './judge.ts';
import type { Row } from './rows.ts';
import type { Result } from './run.ts';

const titles: Readonly<Record<Contender, string>> = {
  pool: 'fastcgi-pool',
  gateway: 'fastcgi-pool over HTTP',
  nginx: 'nginx',
  Apache: 'Apache',
  HAProxy: 'HAProxy',
};

/** All of it; `results` in any order. */
export function report(
  results: readonly Result[],
  contenders: readonly Contender[],
  versions: readonly string[],
): string {
  const all = [...new Set(results.map(({ row }) => row))];
  const find = (row: Row, contender: Contender): Result | undefined =>
    results.find((result) => result.row === row && result.contender === contender);
  const lines = [
    'Failed / ran twice / answered but never run, of all sent.',
    '',
    ...table(
      ['storm', ...contenders.map((contender) => titles[contender])],
      all.map((row) => [row.name, ...contenders.map((contender) => cell(find(row, contender)))]),
    ),
    '',
    'Of those that failed: how many never ran; what was sent again; requests a second; latency in ms.',
    '',
    ...table(
      [
        'storm',
        'by',
        'failed',
        'never ran',
        'special: sent, failed, ran once',
        'blows',
        'sent again',
        'req/s',
        'p50',
        'p99',
        'slowest',
      ],
      results.map(details),
    ),
    '',
    ...results.flatMap(reasons),
    ...contenders.map((contender) => sum(results.filter((result) => result.contender === contender))),
    '',
    `With ${versions.join(', ')}.`,
  ];
  return `${lines.join('\n')}\n`;
}

function sum(results: readonly Result[]): string {
  const total = (count: (result: Result) => number): string =>
    grouped(results.reduce((all, result) => all + count(result), 0));
  const [first] = results;
  if (first === undefined) return '';
  return (
    `- ${titles[first.contender]}, in all: ${total(({ tally }) => tally.sent)} sent, ` +
    `${total(({ tally }) => tally.failed + tally.wrong)} failed, ${total(({ tally }) => tally.twice)} ran twice, ` +
    `${total(({ tally }) => tally.lost)} answered but never run`
  );
}

function cell(result: Result | undefined): string {
  if (result === undefined) return '';
  const { failed, wrong, twice, lost, sent } = result.tally;
  return `${failed + wrong} / ${twice} / ${lost} of ${grouped(sent)}`;
}

function details(result: Result): string[] {
  const { row, contender, tally, blows, retried, seconds } = result;
  const { special, specialFailed, specialOnce } = tally;
  return [
    row.name,
    titles[contender],
    String(tally.failed),
    String(tally.failedUnrun),
    row.special === undefined ? '' : `${special}, ${specialFailed}, ${specialOnce}`,
    row.weather === undefined ? '' : String(blows),
    retried === null ? '' : grouped(retried),
    grouped(Math.round(tally.sent / seconds)),
    ...[tally.p50, tally.p99, tally.slowest].map((millis) => millis.toFixed(1)),
  ];
}

function reasons(result: Result): string[] {
  return result.tally.reasons.size === 0 ? [] : [`- ${why(result)}`];
}

/** Why requests failed. */
export function why({ row, contender, tally }: Result): string {
  const most = [...tally.reasons].sort((a, b) => b[1] - a[1]).slice(0, 5);
  return `${row.name}, ${titles[contender]}: ${most.map(([reason, count]) => `${count} x ${reason}`).join('; ')}`;
}

export function broken(result: Result): string[] {
  return breaches(result).map((breach) => `${result.row.name}, ${titles[result.contender]}: ${breach}`);
}

function table(head: readonly string[], body: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...body.map(line)];
}

function grouped(count: number): string {
  return count.toLocaleString('en-US');
}
