/**
 * Does a request wait until a worker has accepted its connection? Through a TCP proxy the handshake tells nothing: the proxy
 * takes the request, and where php-fpm stops with the connection in its backlog, all that is seen is that the proxy closes, as
 * it does when a worker dies in the middle of the script. Where there is none, the connection is reset, which proves nothing for
 * a request with a body that PHP may leave unread. So PHP-FPM is asked FCGI_GET_VALUES first, which it answers in place
 * of a script, and the request follows behind the answer. What ends the connection before that proves that nothing was run.
 *
 * It is asked twice. A worker that is told to stop while it waits for the first byte answers once and closes; and before 8.2
 * PHP-FPM always does so. Both records in one go cost one round trip; but where a server is not known yet, the second goes
 * out behind the first answer: else a reset could swallow that, and nobody would know why.
 *
 * On a direct connection, too, it is asked where connections wait, and where one more is opened than workers have been seen, as that one may
 * wait: what lies in the backlog of php-fpm is run, also for a client who has left meanwhile, and of several processes none sees how much of
 * it there is. An answer that is late shows either that or a slow script; to ask tells which.
 *
 * Where it is no use it is left off: with such a PHP-FPM, and with what is only said to be one and answers nothing. Decisions
 * only.
 */
import type { ServerFacts } from '../../connection/evidence/server.ts';

/** So often in a row it was no use. */
const MOST_FAILURES = 2;
/** Then so many new connections are not asked; ten times as many each time that it is tried again, as the server may be another. */
const FIRST_SKIPPED = 50;
const MOST_SKIPPED = 5_000;

/** ms: an answer that may have waited for a worker; and so many round trips are little beside it, our own event loop included. */
const LATE = 100;
export const ROUND_TRIPS = 100;
/** What a page takes is the mean of about so many. */
const PAGES = 8;
/** While it is known of fewer: they may have been the quick ones. */
const FIRST_ROUND_TRIPS = 10;
/** One who has left costs the time of a script; to ask costs a round trip. */
const ASKS_FOR_ONE = 16;
const MOST_ASKS = 64;
/** So many less where a worker was free. */
const ASKS_LESS = 4;
/** Where workers are free all the same, one of so many late answers has the next connection asked. */
const MOST_LATE = 16;

export class AcceptCheck {
  /** A connection has been seen to outlive its answer. */
  staysOpen = false;
  /** So many connections have been let in by a worker. */
  answers = 0;
  #failures = 0;
  #skipped = 0;
  /** So many new connections are asked although their requests are provable: they may wait for a worker. */
  #asks = 0;
  /** ms that scripts take to their first byte once a worker has their connection. Infinity: not known. */
  #page = Number.POSITIVE_INFINITY;
  /** It is known of so many, up to PAGES. */
  #pages = 0;
  #late = 0;
  #everyLate = 1;
  /** The next is asked however quick the pages are: what they take is known of few, and those may have been the quick ones. */
  #tries = false;

  /** ms: the mean of what `onPage` was told; Infinity: nothing yet. */
  get page(): number {
    return this.#page;
  }

  /**
   * Must the new connection be asked? `isProvable`: a reset would prove that its request was not run, or it may run twice; `connecting`: ms;
   * `isOneMore`: than workers have been seen.
   */
  isDue(
    { isPhpFpm, isDirect }: ServerFacts,
    isProvable: boolean,
    connecting: number,
    isOneMore: boolean,
  ): boolean {
    if (isPhpFpm !== true) return false;
    const isCheap = this.#page >= ROUND_TRIPS * connecting;
    // Not before the look for a proxy, which needs a connection that is free for a moment.
    const isCounted = isOneMore && isCheap && isDirect === true;
    const isNeeded = isDirect === false || !isProvable || isCounted;
    if (!isNeeded && !this.#spendAsk(connecting)) return false;
    if (this.#skipped === 0) return true;
    this.#skipped--;
    return false;
  }

  /** Is it one of those that are asked as they may wait for a worker? */
  #spendAsk(connecting: number): boolean {
    const roundTrips = this.#pages < PAGES ? FIRST_ROUND_TRIPS : ROUND_TRIPS;
    const isCheap = this.#page >= roundTrips * connecting;
    if (this.#asks === 0 || (!this.#tries && !isCheap)) return false;
    this.#asks--;
    this.#tries = false;
    return true;
  }

  /** It was no use before, so little time is spent on it. */
  get isDoubted(): boolean {
    return this.#failures >= MOST_FAILURES;
  }

  /** A client has left before a worker was known to have his request: what lies in the backlog then is run for nobody. */
  onLeft(): void {
    this.#asks = Math.min(MOST_ASKS, this.#asks + ASKS_FOR_ONE);
  }

  /** One that was not asked was answered `after` ms. True: so late that it may have waited for a worker; or its script is slow. */
  onUnasked(after: number): boolean {
    if (after < LATE) return false;
    if (++this.#late >= this.#everyLate) {
      this.#late = 0;
      this.#asks = Math.max(1, PAGES - this.#pages, this.#asks);
      this.#tries = true;
    }
    return true;
  }

  /** A script has begun to answer, `after` ms after its request was sent to the worker. */
  onPage(after: number): void {
    this.#pages = Math.min(PAGES, this.#pages + 1);
    this.#page = this.#pages === 1 ? after : this.#page + (after - this.#page) / this.#pages;
  }

  /** One that was asked has waited so long for its worker. `connecting`: what the connect has taken. Both in ms. */
  onAccepted(waited: number, connecting: number): void {
    if (waited >= Math.max(LATE, ROUND_TRIPS * connecting)) {
      this.#asks = Math.min(MOST_ASKS, this.#asks + ASKS_FOR_ONE);
      this.#everyLate = 1;
    } else if (this.#asks > 0) this.#asks = Math.max(0, this.#asks - ASKS_LESS);
    else this.#everyLate = Math.min(MOST_LATE, 2 * this.#everyLate);
  }

  /** Answered, and the connection is open. */
  onAnswer(): void {
    this.staysOpen = true;
    this.answers++;
    this.#failures = 0;
    this.#skipped = 0;
  }

  /** A connection was lost: perhaps the server is another now. */
  onLost(): void {
    this.staysOpen = false;
  }

  /** There was no answer, or the connection was closed behind it. */
  onFailure(): void {
    // Those that were asked at the same time say nothing new.
    if (this.#skipped > 0) return;
    this.#failures++;
    if (this.#failures < MOST_FAILURES) return;
    this.#skipped = Math.min(FIRST_SKIPPED * 10 ** (this.#failures - MOST_FAILURES), MOST_SKIPPED);
  }
}
