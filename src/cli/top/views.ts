/**
 * What `top` shows, as lines of text.
 * This folder: the status page and php-fpm's own in a terminal. It imports the status page's report and figures.
 */
import { type FpmPage, recounted } from '../../observe/fpm-page.ts';
import { durationOf, numberOf, rateOf } from '../../observe/status/format.ts';
import { Rate } from '../../observe/status/rates.ts';
import type { StatusReport } from '../../observe/status/report.ts';
import { aligned } from '../status-table.ts';
import { printable } from '../text.ts';

/** Of each list at most. */
const MOST = 10;

/** A pool, by its status page. */
export function poolLines(report: StatusReport): string[] {
  const { servers, scripts, connections, messages, retries, queued, queueAge, workers, proven } = report;
  const busy = servers.reduce((sum, one) => sum + one.busy, 0);
  return [
    `requests/s ${rateOf(report.perSecond)} (most ${rateOf(report.mostPerSecond)})   served ${numberOf(report.served)}   sent again ${numberOf(report.retried)}   refused ${numberOf(report.refused)}`,
    `queue ${numberOf(queued)}${queued > 0 ? ` for ${durationOf(queueAge)}` : ''}   busy ${busy} of ${workers ?? '?'} workers   answered in ${durationOf(report.running.p50)}, p99 ${durationOf(report.running.p99)}   waited p99 ${durationOf(report.waiting.p99)}`,
    ...table(
      ['SERVER', 'STATUS', 'REQ/S', 'BUSY', 'IDLE', 'WORKERS', 'TOTAL', 'RETR', 'WHY'],
      servers.map((one) => [
        one.address,
        one.state,
        rateOf(one.perSecond),
        String(one.busy),
        String(one.idle),
        String(one.workers ?? '-'),
        numberOf(one.served),
        numberOf(one.retried),
        one.why,
      ]),
    ),
    ...table(
      ['CONNECTION', 'STATE', 'AGE', 'REQUESTS', 'RUNNING', 'SCRIPT'],
      connections
        .slice(0, MOST)
        .map((one) => [
          one.server,
          one.state,
          durationOf(one.age),
          numberOf(one.requests),
          durationOf(one.running),
          one.script,
        ]),
    ),
    ...table(
      ['SCRIPT', 'REQUESTS', 'FAILED', 'MEAN', 'MAX', 'WORKER TIME'],
      scripts
        .slice(0, MOST)
        .map((one) => [
          one.script,
          numberOf(one.requests),
          numberOf(one.failed),
          durationOf(one.mean),
          durationOf(one.max),
          durationOf(one.total),
        ]),
    ),
    ...table(
      [
        'SENT AGAIN',
        'EXECUTED',
        'SCRIPT',
        `LIKELY CAUSE (not run: ${proven.no}, may have: ${proven.unknown})`,
      ],
      retries.slice(0, 5).map((one) => [one.time.slice(11, 19), one.executed, one.script, one.hint]),
    ),
    ...table(
      ['MESSAGE', 'LEVEL', 'TEXT'],
      messages.slice(0, 5).map((one) => [one.time.slice(11, 19), one.level, one.message]),
    ),
  ];
}

/** php-fpm's own status; remembers what came before. */
export class FpmView {
  readonly #rate: Rate = new Rate();

  /** `now`: ms. */
  lines(page: FpmPage, now: number): string[] {
    const figures = recounted(page);
    const rate = this.#rate.add(Number(page['accepted conn'] ?? 0), now);
    const figure = (name: string): string => printable(String(figures[name] ?? '-'));
    const processes = Array.isArray(page['processes']) ? (page['processes'] as FpmPage[]) : [];
    return [
      `pool ${figure('pool')} (${figure('process manager')})   up ${durationOf(Number(page['start since'] ?? 0) * 1000)}   connections ${figure('accepted conn')}, ${rateOf(rate)}/s   slow ${figure('slow requests')}`,
      `workers ${figure('active processes')} active, ${figure('idle processes')} idle, ${figure('total processes')} in all, most active ${figure('max active processes')}   limit reached ${figure('max children reached')}   listen queue ${figure('listen queue')} of ${figure('listen queue len')}`,
      ...table(
        ['PID', 'STATE', 'REQUESTS', 'FOR', 'CPU %', 'MEMORY', 'METHOD', 'URI'],
        [...processes]
          .sort((a, b) => Number(a['state'] === 'Idle') - Number(b['state'] === 'Idle'))
          .map((one) => [
            String(one['pid']),
            String(one['state']),
            String(one['requests']),
            durationOf(Number(one['request duration'] ?? 0) / 1000),
            String(one['last request cpu'] ?? '-'),
            String(one['last request memory'] ?? '-'),
            String(one['request method'] ?? '-'),
            String(one['request uri'] ?? '-'),
          ]),
      ),
    ];
  }
}

/** An empty line in front; nothing where there are no rows. What others chose must not steer the terminal. */
function table(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const text = aligned([heads, ...rows.map((row) => row.map(printable))]);
  return ['', ...text.trimEnd().split('\n')];
}
