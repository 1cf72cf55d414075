/**
 * Keeps the list of servers up to date: looks names up when the first request comes, again after `interval`, soon after a failed
 * connect, and when a request comes behind a time without any, which waits for the answer a moment: the addresses of the evening may be
 * nobody's in the morning, and a connect to such a one can hang for all its time. What was found last stands while there is no new
 * answer: a DNS server that is down must not take php-fpm with it.
 * Times in ms, by the machine's clock: an answer gets old while nothing is asked, too.
 * This folder: which addresses there are: names looked up, again and again. It knows no pool.
 */
import type { Timers } from '../../connection/clock.ts';
import { ConnectError, errorText } from '../../errors.ts';
import type { Lookup } from './lookup.ts';
import type { DiscoveredServer, Source } from './source.ts';

/** No name is looked up again sooner, whatever fails. */
const LEAST_INTERVAL = 1000;
/** An answer that is so much older than `interval` may be wrong by now: nothing was asked meanwhile. */
const OUTDATED_AFTER = 1000;
/** Who comes then waits for the new answer so long: DNS answers in a few ms, or not at all. */
const LONGEST_WAIT = 250;
/** ms after which a look-up that has not ended counts as failed, where nobody has said how long to wait for a connection. */
const LOOKUP_TIMEOUT = 10_000;

interface Entry {
  readonly source: Source;
  /** null: not known yet. */
  found: readonly DiscoveredServer[] | null;
  askedAt: number;
  asking: boolean;
  /** What was found is too old to be used before this answer, or before LONGEST_WAIT is over. */
  outdated: boolean;
  /** The last look-up failed. */
  failed: boolean;
}

export class Discovery {
  readonly #lookup: Lookup;
  readonly #interval: number;
  readonly #timeout: number;
  readonly #timers: Pick<Timers, 'now' | 'after'>;
  readonly #onFound: (found: readonly DiscoveredServer[]) => void;
  #entries: readonly Entry[] = [];
  /** A new answer is close, and what was found may be wrong. Asked for each request, of a thousand servers as well. */
  isOutdated = false;

  constructor(
    lookup: Lookup,
    interval: number,
    connectTimeout: number,
    timers: Pick<Timers, 'now' | 'after'>,
    onFound: (found: readonly DiscoveredServer[]) => void,
  ) {
    this.#lookup = lookup;
    this.#interval = interval;
    this.#timeout = connectTimeout || LOOKUP_TIMEOUT;
    this.#timers = timers;
    this.#onFound = onFound;
  }

  /** For messages. */
  get name(): string {
    return this.#entries.map(({ source }) => source.origin).join(', ');
  }

  /** All that was asked for has been answered, well or not. */
  get isOver(): boolean {
    return this.#entries.every(({ found }) => found !== null);
  }

  /** Sources that were there before keep what was found of them. */
  update(sources: readonly Source[]): void {
    const before = new Map(this.#entries.map((entry) => [keyOf(entry.source), entry]));
    this.#entries = sources.map((source) => {
      if (source.kind === 'address') return entryOf(source, [source]);
      const known = before.get(keyOf(source))?.found?.filter(({ unknown }) => unknown === undefined) ?? [];
      return entryOf(source, known.length === 0 ? null : known.map(({ target }) => ({ ...source, target })));
    });
    this.#notify();
  }

  /** Called often: asks for what is not known yet, or is old. */
  poll(): void {
    const now = this.#timers.now();
    for (const entry of this.#entries) {
      const pause = entry.failed ? Math.min(LEAST_INTERVAL, this.#interval) : this.#interval;
      if (now - entry.askedAt >= pause) this.#ask(entry, now);
    }
  }

  /** Nobody answers at a server that was found by `origin`: it may have moved. */
  onUnreachable(origin: string): void {
    const now = this.#timers.now();
    const least = Math.min(LEAST_INTERVAL, this.#interval);
    for (const entry of this.#entries) {
      if (entry.source.origin === origin && now - entry.askedAt >= least) this.#ask(entry, now);
    }
  }

  #ask(entry: Entry, now: number): void {
    if (entry.source.kind === 'address' || entry.asking) return;
    entry.asking = true;
    const age = now - entry.askedAt;
    entry.outdated = entry.found !== null && Number.isFinite(age) && age > this.#interval + OUTDATED_AFTER;
    entry.askedAt = now;
    if (entry.outdated) {
      this.isOutdated = true;
      this.#timers.after(LONGEST_WAIT, () => {
        if (entry.outdated) this.#found(entry, entry.found);
      });
    }
    const { source } = entry;
    const timeout = this.#timeout;
    const failed = (why: unknown): void => {
      cancel();
      this.#answered(entry, entry.found ?? [{ ...source, unknown: unknown(source, why) }], true);
    };
    const cancel = this.#timers.after(timeout, () => failed(new Error(`no answer within ${timeout} ms`)));
    this.#lookup(source).then((found) => {
      cancel();
      // Of one who is late it is no less true.
      this.#answered(entry, found, false);
    }, failed);
  }

  #answered(entry: Entry, found: readonly DiscoveredServer[], failed: boolean): void {
    entry.asking = false;
    entry.failed = failed;
    this.#found(entry, found);
  }

  #found(entry: Entry, found: Entry['found']): void {
    // Whoever waits for an answer waits no longer, where it says nothing new, too.
    const isNews = entry.found !== found || entry.outdated;
    entry.found = found;
    entry.outdated = false;
    // It may be a source that an update has removed meanwhile.
    if (isNews && this.#entries.includes(entry)) this.#notify();
  }

  #notify(): void {
    this.isOutdated = this.#entries.some(({ outdated }) => outdated);
    this.#onFound(this.#entries.flatMap(({ found }) => found ?? []));
  }
}

function entryOf(source: Source, found: readonly DiscoveredServer[] | null): Entry {
  return { source, found, askedAt: Number.NEGATIVE_INFINITY, asking: false, outdated: false, failed: false };
}

function keyOf({ kind, origin }: Source): string {
  return `${kind} ${origin}`;
}

function unknown({ origin, kind, target }: Source, cause: unknown): ConnectError {
  const why = errorText(cause);
  const name = kind === 'host' && target.transport === 'tcp' ? target.host : origin;
  const hint = `the name ${name} does not resolve: ${why}`;
  return new ConnectError('FCGI_ERR_CONNECT', `cannot look up ${origin}: ${why}`, { cause, facts: { hint } });
}
