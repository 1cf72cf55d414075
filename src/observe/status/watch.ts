/** Watches a pool as long as somebody looks, and a while longer. */

import type { Dispatcher } from '../../pool/dispatcher.ts';
import { FpmStatuses } from '../prometheus/fpm-status.ts';
import { Recorder } from './recorder.ts';
import { type FpmReport, Reporter, type StatusReport, type Watched } from './report.ts';

/** ms after the last look in which it goes on: who reloads the page finds what was there. */
const LINGER = 60_000;
/** ms between two questions for php-fpm's status, and what one may take. */
const FPM_INTERVAL = 2000;
const FPM_TIMEOUT = 1000;

export class Watch {
  readonly #fpm: Watched;
  readonly #recorder: Recorder;
  readonly #reporter: Reporter;
  readonly #statuses: FpmStatuses | null;
  #fpmReports: readonly FpmReport[] = [];
  #askedAt = Number.NEGATIVE_INFINITY;
  #linger: NodeJS.Timeout | null = null;

  constructor(fpm: Watched & Pick<Dispatcher, 'stats' | 'request'>, fpmStatus: string | undefined) {
    this.#fpm = fpm;
    this.#recorder = new Recorder(fpm, fpmStatus);
    this.#reporter = new Reporter(fpm, this.#recorder);
    const dispatcher = { request: fpm.request.bind(fpm) };
    this.#statuses =
      fpmStatus === undefined ? null : new FpmStatuses(fpm, dispatcher, fpmStatus, FPM_TIMEOUT);
  }

  report(): StatusReport {
    this.#recorder.start();
    if (this.#linger !== null) clearTimeout(this.#linger);
    this.#linger = setTimeout(() => this.stop(), LINGER).unref();
    this.#askFpm();
    return this.#reporter.report(this.#fpmReports, Date.now());
  }

  stop(): void {
    if (this.#linger !== null) clearTimeout(this.#linger);
    this.#linger = null;
    this.#recorder.stop();
    this.#reporter.forget();
  }

  /** Shown is what came last: where no worker is free, the page would else wait for one. */
  #askFpm(): void {
    const now = performance.now();
    if (this.#statuses === null || now - this.#askedAt < FPM_INTERVAL) return;
    this.#askedAt = now;
    const { stats, address = '' } = this.#fpm;
    const servers = stats.servers ?? [{ address, state: 'up', stats }];
    const free = servers.filter(({ state, stats: { idle, busy, workers } }) => {
      if (state === 'failed' || stats.queued > 0) return false;
      return idle > 0 || busy === 0 || (workers !== null && busy < workers);
    });
    const names = new Set(free.map((server) => server.address));
    void this.#statuses
      .ask((server) => names.has(server))
      .then((found) =>
        this.#note(found.map(({ uri, page }) => ({ uri, page, time: new Date().toISOString() }))),
      );
  }

  /** Those that were not asked this time stay, with their times. */
  #note(found: readonly FpmReport[]): void {
    const uris = new Set(found.map(({ uri }) => uri));
    const rest = this.#fpmReports.filter(({ uri }) => !uris.has(uri));
    this.#fpmReports = [...found, ...rest].sort((a, b) => (a.uri < b.uri ? -1 : 1));
  }
}
