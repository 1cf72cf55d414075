/** The status of several processes as one. */
import { expect, it } from 'vitest';
import { merged } from '../../../src/cli/workers/merged.ts';
import { Pool } from '../../../src/index.ts';
import { Recorder } from '../../../src/observe/status/recorder.ts';
import { Reporter, type StatusReport } from '../../../src/observe/status/report.ts';

function reportOf(changes: Partial<StatusReport>): StatusReport {
  const pool = new Pool('unix:/nonexistent/fpm.sock');
  return { ...new Reporter(pool, new Recorder(pool)).report([], 1_000_000), ...changes };
}

function script(name: string, requests: number, total: number, max: number): StatusReport['scripts'][number] {
  return { script: name, requests, failed: 1, mean: total / requests, max, total };
}

it('one report alone stays as it is', () => {
  const report = reportOf({ served: 7 });
  expect(merged(report, [])).toBe(report);
});

it('what is counted is added up, what is not known counts for nothing, and of times the slowest are shown', () => {
  const one = reportOf({
    ...{ served: 7, retried: 1, refused: 2, queued: 3, queueAge: 20, workers: null, perSecond: 1.5 },
    running: { count: 3, p50: 10, p99: 90 },
    scripts: [script('/a.php', 2, 40, 30), script('/b.php', 1, 5, 5)],
  });
  const two = reportOf({
    ...{ served: 5, retried: 0, refused: 1, queued: 0, queueAge: 0, workers: 4, perSecond: null },
    running: { count: 1, p50: 50, p99: 60 },
    scripts: [script('/b.php', 3, 95, 80)],
  });
  expect(merged(one, [two])).toMatchObject({
    ...{
      processes: 2,
      served: 12,
      retried: 1,
      refused: 3,
      queued: 3,
      queueAge: 20,
      workers: 4,
      perSecond: 1.5,
    },
    running: { count: 4, p50: 20, p99: 90 },
    scripts: [
      { script: '/b.php', requests: 4, failed: 2, mean: 25, max: 80, total: 100 },
      { script: '/a.php', requests: 2, failed: 1, mean: 20, max: 30, total: 40 },
    ],
  });
});

it('each server is there once, as whoever has trouble with it sees it', () => {
  const one = reportOf({});
  const [server] = one.servers;
  if (server === undefined) throw new Error('no server');
  const closed = { ...server.closed, failed: 2 };
  const two = reportOf({
    servers: [{ ...server, state: 'failed', why: 'ECONNREFUSED', fails: 3, busy: 2, closed }],
  });
  const [both, ...more] = merged(one, [two, two]).servers;
  expect(more).toEqual([]);
  expect(both).toMatchObject({ state: 'failed', why: 'ECONNREFUSED', fails: 3, busy: 4, connected: 0 });
  expect(both?.closed).toMatchObject({ failed: 4, reset: 0 });
});

it("of messages the latest are there, of php-fpm's own status the newest answer", () => {
  const message = { level: 'warning', message: '', file: '', line: 0, script: '' } as const;
  const at = (second: number): string => new Date(second * 1000).toISOString();
  const fpm = { uri: 'unix:/a;/status', page: { pool: 'www' } };
  const one = reportOf({
    messages: Array.from({ length: 10 }, (_, nth) => ({ ...message, time: at(100 - 2 * nth) })),
    fpm: [{ ...fpm, time: at(5) }],
  });
  const two = reportOf({
    messages: Array.from({ length: 10 }, (_, nth) => ({ ...message, time: at(99 - 2 * nth) })),
    fpm: [{ ...fpm, time: at(6), page: null }],
  });
  const both = merged(one, [two]);
  expect(both.messages.map(({ time }) => time)).toEqual(
    Array.from({ length: 15 }, (_, nth) => at(100 - nth)),
  );
  expect(both.fpm).toEqual(one.fpm);
});
