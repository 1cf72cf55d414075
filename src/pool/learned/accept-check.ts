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
 * Where it is no use it is left off: with such a PHP-FPM, and with what is only said to be one and answers nothing. Decisions
 * only.
 */
import type { ServerFacts } from '../../connection/evidence/server.ts';

/** So often in a row it was no use. */
const MOST_FAILURES = 2;
/** Then so many new connections are not asked; ten times as many each time that it is tried again, as the server may be another. */
const FIRST_SKIPPED = 50;
const MOST_SKIPPED = 5_000;

export class AcceptCheck {
  /** A connection has been seen to outlive its answer. */
  staysOpen = false;
  /** So many connections have been let in by a worker. */
  answers = 0;
  #failures = 0;
  #skipped = 0;

  /** Must the new connection be asked? `isProvable`: a reset would prove that its request was not run, or it may run twice. */
  isDue({ isPhpFpm, isDirect }: ServerFacts, isProvable: boolean): boolean {
    if (isPhpFpm !== true || (isDirect !== false && isProvable)) return false;
    if (this.#skipped === 0) return true;
    this.#skipped--;
    return false;
  }

  /** It was no use before, so little time is spent on it. */
  get isDoubted(): boolean {
    return this.#failures >= MOST_FAILURES;
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
