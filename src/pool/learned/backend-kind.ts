/**
 * What the pool believes of its server, and why. Trust is earned: by its answer to FCGI_GET_VALUES, php-fpm gives
 * FCGI_MPXS_CONNS = 0 and nothing else, where php-cgi gives all three values and other servers say something else,
 * nothing, or reset. That nothing stands in between is shown by a worker that resets a connection (see detect-backend.ts).
 * Trust is lost at the first sign against it.
 *
 * Until a server is known, a connection is not used again before it is sure that it outlives an answer: by the answer
 * to FCGI_GET_VALUES behind it, or by a moment's wait.
 *
 * Decisions only; times are given, in ms.
 */

import type { Examined } from '../../connection/detect-backend.ts';
import type { KnownServer } from '../../connection/evidence/server.ts';
import type { Reply } from '../../connection/idle-check.ts';
import { ValueName } from '../../protocol/constants.ts';
import type { PoolSettings } from '../options.ts';

/** What to do with a connection behind an answer, before it is used again. */
export type BehindAnswer = 'nothing' | 'ask' | 'wait';

/** ms between one question that got no answer and the next: a worker may be busy behind its response. */
const ASK_AGAIN = [0, 1_000, 10_000, 60_000];
/** ms between one look for what stands in between that found nothing out, and the next. */
const EXAMINE_AGAIN = 10_000;
/** So many connections in a row that the server ended behind their first answer: it keeps none. */
const ENDED = 3;
/** Then one of so many is asked to be kept all the same, to see whether that is still so. */
const TRY_EVERY = 50;
/** So many of the numbers of requests at which connections have been seen to end are remembered. */
const MOST_ENDS = 16;

export class Trust implements KnownServer {
  #isPhpFpm: boolean | null;
  #isDirect: boolean | null;
  /** Told by the operator, so that nothing is learned. */
  readonly isTold: boolean;
  /** Numbers of answers behind which a connection may end. */
  readonly #ends: Set<number> = new Set([1]);
  #endedAtOnce = 0;
  #sinceTry = 0;
  /** It has said so itself. */
  #hasSaid = false;
  /** One connection is asked at a time. */
  #asking = false;
  #unanswered = 0;
  /** It has closed a connection on which the end of input came behind its answer. */
  #refusedEndOfInput = false;
  #askAt = 0;
  #examineAt = 0;

  constructor({ backend, proxied }: Pick<PoolSettings, 'backend' | 'proxied'>) {
    this.isTold = backend !== 'auto';
    this.#isPhpFpm = backend === 'auto' ? null : backend === 'php-fpm';
    this.#isDirect = proxied ? false : backend === 'php-fpm' ? true : null;
  }

  get isPhpFpm(): boolean | null {
    return this.#isPhpFpm;
  }

  get isDirect(): boolean | null {
    return this.#isDirect;
  }

  /** It is PHP-FPM, and answers when it is asked. */
  get answersQuestions(): boolean {
    return this.#isPhpFpm === true && this.#hasSaid;
  }

  /** Nothing speaks against it yet. */
  get mayBePhpFpm(): boolean {
    return this.#isPhpFpm ?? (this.#unanswered === 0 && !this.#refusedEndOfInput);
  }

  /** Nothing is known, and it is time to ask. */
  isToBeAsked(now: number): boolean {
    return this.#isPhpFpm === null && !this.#asking && now >= this.#askAt;
  }

  /** It is PHP-FPM, but whether something stands in between is not known, and it is time to look. */
  isToBeExamined(now: number): boolean {
    return this.#isPhpFpm === true && this.#isDirect === null && now >= this.#examineAt;
  }

  /** Nothing is left to be found out. */
  get isKnown(): boolean {
    return this.#isPhpFpm === false || (this.#isPhpFpm === true && this.#isDirect !== null);
  }

  /** It ends each connection behind its answer. */
  get keepsNone(): boolean {
    return this.#endedAtOnce >= ENDED;
  }

  /** Is it worth to ask for a fresh connection to be kept? Not of a server that ends each behind its answer all the same. */
  keeps(): boolean {
    if (!this.keepsNone) return true;
    this.#sinceTry = (this.#sinceTry + 1) % TRY_EVERY;
    return this.#sinceTry === 0;
  }

  /** A connection has outlived its first answer. */
  outlived(): void {
    this.#endedAtOnce = 0;
  }

  /** A response has ended well on a connection that is kept, its `requests`th. */
  behindAnswer(requests: number, now: number): BehindAnswer {
    if (this.#isPhpFpm === true) return 'nothing';
    if (this.isToBeAsked(now)) {
      this.#asking = true;
      return 'ask';
    }
    return this.#ends.has(requests) ? 'wait' : 'nothing';
  }

  /** To FCGI_GET_VALUES, or to a wait. True: the connection may be used again. */
  replied(reply: Reply, requests: number, now: number): boolean {
    this.#asking = false;
    if (reply.closed === null) {
      this.outlived();
      if (reply.values === null) this.#ends.delete(requests);
      else this.said(reply.values);
      return reply.values === null || this.#isPhpFpm === true;
    }
    if (reply.closed === 'unanswered') this.#notAnswered(now);
    else if (reply.closed === 'trailing-bytes') this.#isPhpFpm ??= false;
    return false;
  }

  /** On connections that were made to ask; see Examined. */
  examined({ values, isDirect }: Examined, now: number): void {
    this.#examineAt = now + EXAMINE_AGAIN;
    if (values !== null) this.said(values);
    else if (this.#isPhpFpm === null) this.#notAnswered(now);
    // Without an answer it may just be a server that leaves.
    if (this.#isPhpFpm === true && values !== null) this.#isDirect ??= isDirect;
  }

  /** The server has said what it is. */
  said(values: ReadonlyMap<string, unknown>): void {
    this.#hasSaid = true;
    if (this.isTold) return;
    this.#isPhpFpm = values.size === 1 && String(values.get(ValueName.MPXS_CONNS)) === '0';
  }

  /** The server has ended a connection, idle, behind its `requests`th answer. */
  ended(requests: number): void {
    if (requests === 1) this.#endedAtOnce++;
    if (requests >= 1 && this.#ends.size < MOST_ENDS) this.#ends.add(requests);
  }

  /** It answers only behind the end of input: PHP-FPM never waits for that. */
  onWaitsForEndOfInput(): void {
    if (!this.isTold) this.#isPhpFpm = false;
  }

  /** PHP-FPM reads the end of input where another request might begin, and goes on. */
  onEndOfInputRefused(): void {
    this.#refusedEndOfInput = true;
  }

  onHalfClosed(): void {
    this.#isDirect = false;
  }

  #notAnswered(now: number): void {
    this.#unanswered++;
    const pause = ASK_AGAIN[this.#unanswered];
    this.#askAt = pause === undefined ? Number.POSITIVE_INFINITY : now + pause;
    if (pause === undefined) this.#isPhpFpm ??= false;
  }
}
