/**
 * What the server is: PHP-FPM or not, reached directly or through a proxy. PHP-FPM answers FCGI_GET_VALUES with
 * FCGI_MPXS_CONNS = 0 and nothing else; php-cgi gives all three values, and other servers say something else, nothing,
 * or reset. That there is no proxy is shown by a worker that resets a connection (see detect-backend.ts). The first sign
 * of a proxy ends that belief: a wrong one would send a request twice.
 *
 * Some servers close each connection behind its answer. So until the server is known, a kept connection is not used
 * again before it has answered FCGI_GET_VALUES, or has stayed open for some milliseconds: else the next request would
 * be sent into the close.
 *
 * Decisions only; times are given, in ms, monotonic.
 */

import type { DetectedBackend } from '../../connection/detect-backend.ts';
import type { KnownServer } from '../../connection/evidence/server.ts';
import type { IdleCheckResult } from '../../connection/idle-check.ts';
import { ValueName } from '../../protocol/constants.ts';
import type { PoolSettings } from '../options.ts';

/** What to do on a connection after a response, before it is used again. */
export type AfterResponse = 'nothing' | 'ask' | 'wait';

/** ms between one FCGI_GET_VALUES that got no answer and the next: a worker may be busy behind its response. */
const QUERY_INTERVALS = [0, 1_000, 10_000, 60_000];
/** The same of a server that is taken for another, and ends its answers as PHP-FPM does: it may be PHP-FPM after all, or one day. */
const LONGEST_INTERVAL = 60_000;
/** So often it may be replaced by another; more, and there are several behind its address, which is not worth to ask each time. */
const MOST_CHANGES = 3;
/** ms between a search for a proxy that found nothing out, and the next. */
const PROXY_CHECK_INTERVAL = 10_000;
/** ms in which a pool finds out how many workers there are. */
const SETTLING_TIME = 100;
/** ms in which a proxy is looked for only where that costs no request its connection. */
const LATEST_CHECK = 5 * SETTLING_TIME;
/** So many connections in a row that the server closed behind their first answer: it closes all of them. */
const ENDED = 3;
/** Then one of so many is asked to be kept all the same, to see whether that is still so. */
const TRY_EVERY = 50;
/** So many of the numbers of requests at which connections have been seen to end are remembered. */
const MOST_ENDS = 16;

/** Which server stood at the address before: another one that was known, or one that it is likely to be, as nobody was there for a moment. */
export type Follows = 'other' | 'likely-the-same' | null;

export class BackendKind implements KnownServer {
  #isPhpFpm: boolean | null;
  #isDirect: boolean | null;
  /** Set by the option `backend`, so that nothing is learned. */
  readonly isConfigured: boolean;
  /** Numbers of answers behind which a connection may end. */
  readonly #ends: Set<number> = new Set([1]);
  #endedAtOnce = 0;
  #sinceTry = 0;
  /** It has answered FCGI_GET_VALUES, or is likely to be the same as one that has. */
  #hasAnswered: boolean;
  /** It has left FCGI_GET_VALUES unanswered, and has never answered it. */
  ignoresGetValues = false;
  /** It has answered under the id of another request: so it gets one on each connection. */
  mixesIds = false;
  /** One connection is asked at a time. */
  #asking = false;
  #unanswered = 0;
  /** It has closed a connection on which the end of input came behind its answer; or one has outlived that. */
  #refusedEndOfInput = false;
  #takesEndOfInput = false;
  #askAt = 0;
  #examineAt = 0;
  /** Its latest answer ended STDOUT or STDERR by an empty record; null: there is none. */
  #endsStreams: boolean | null = null;
  /** So often another server has taken the address over. */
  #changes = 0;
  /** Set by the option `proxied`. */
  readonly isProxied: boolean;
  readonly endpoint: string;
  /** When it was met first. */
  readonly #metAt: number;
  readonly #follows: Follows;

  constructor(
    { backend, proxied }: Pick<PoolSettings, 'backend' | 'proxied'>,
    endpoint: string = '',
    metAt: number = 0,
    follows: Follows = null,
  ) {
    this.endpoint = endpoint;
    this.#metAt = metAt;
    this.#follows = follows;
    this.#hasAnswered = follows === 'likely-the-same';
    this.isProxied = proxied;
    this.isConfigured = backend !== 'auto';
    this.#isPhpFpm = backend === 'auto' ? null : backend === 'php-fpm';
    this.#isDirect = proxied ? false : backend === 'php-fpm' ? true : null;
  }

  get isPhpFpm(): boolean | null {
    return this.#isPhpFpm;
  }

  get isDirect(): boolean | null {
    return this.#isDirect;
  }

  /** It is PHP-FPM, and answers FCGI_GET_VALUES. */
  get answersGetValues(): boolean {
    return this.#isPhpFpm === true && this.#hasAnswered;
  }

  /** Nothing speaks against it yet. */
  get mayBePhpFpm(): boolean {
    return this.#isPhpFpm ?? (this.#unanswered === 0 && !this.#refusedEndOfInput);
  }

  /** It has shown that it is PHP-FPM, or whoever was there before has, and must do so anew. */
  get isDoubted(): boolean {
    return this.#isPhpFpm === null && this.#hasAnswered;
  }

  /** It is not known to be PHP-FPM, and it is time to send FCGI_GET_VALUES. */
  isQueryDue(now: number): boolean {
    if (this.#isPhpFpm === true || this.isConfigured || this.#asking) return false;
    // Some others end themselves where they do not know the question.
    return now >= this.#askAt && (this.#isPhpFpm === null || this.#endsStreams === false);
  }

  /** On a kept connection that was in vain: perhaps each script goes on behind its response (`fastcgi_finish_request()`). */
  get wantsOwnConnection(): boolean {
    return this.#unanswered > 0;
  }

  /** It is PHP-FPM, but whether there is a proxy is not known, and it is time to find out. */
  isProxyCheckDue(now: number): boolean {
    return this.#isPhpFpm === true && this.#isDirect === null && now >= this.#examineAt;
  }

  /**
   * The same where nobody hangs on it yet. Not at once: in the first moment as many connections as there may be wait for workers, and one
   * that carries no request would be one of them. `isFree`: one was given back just now, so that it costs no request its connection. That is not
   * waited for without end, and not where php-fpm has been started anew: who restarts it may do so again soon, and what is lost then is to be judged.
   */
  isProxyCheckWorthwhile(now: number, isFree: boolean): boolean {
    const known = now - this.#metAt;
    const isLate = this.#follows !== null || known >= LATEST_CHECK;
    return (isFree || isLate) && known >= SETTLING_TIME && this.isProxyCheckDue(now);
  }

  /** It is PHP-FPM, and all is known of it: nothing is ever to be asked. */
  get isSettled(): boolean {
    return this.#isPhpFpm === true && this.#isDirect !== null;
  }

  /** It has shown that it is PHP-FPM, and that there is no proxy: so a request that it has left may be taken for one that was not run. */
  get isTrusted(): boolean {
    return this.#isPhpFpm === true && this.#isDirect === true && !this.isConfigured;
  }

  /** A failure is judged by what is known. */
  get isKnown(): boolean {
    return this.#isPhpFpm === false || this.isSettled;
  }

  /** It closes each connection behind its answer. */
  get closesAll(): boolean {
    return this.#endedAtOnce >= ENDED;
  }

  /** Is KEEP_CONN set for a new connection? Of a server that closes all of them, only on one in fifty, as it may change. */
  mayKeep(): boolean {
    if (this.mixesIds) return false;
    if (!this.closesAll) return true;
    this.#sinceTry = (this.#sinceTry + 1) % TRY_EVERY;
    return this.#sinceTry === 0;
  }

  /** A connection is open still after its first answer. */
  onStayedOpen(): void {
    this.#endedAtOnce = 0;
  }

  /** A response has ended well on a connection that is kept, its `requests`th; `owesEnd`: the end of its input has not been sent. */
  afterResponse(requests: number, now: number, owesEnd: boolean): AfterResponse {
    if (this.#isPhpFpm === true) return 'nothing';
    if (this.isQueryDue(now)) {
      this.#asking = true;
      if (this.#isPhpFpm === false) this.#askAt = now + LONGEST_INTERVAL;
      return 'ask';
    }
    // Else that would go out in front of the next request, and a server that closes at it would take that one along.
    const mustEnd = owesEnd && !this.#takesEndOfInput;
    return mustEnd || this.#ends.has(requests) ? 'wait' : 'nothing';
  }

  /** FCGI_GET_VALUES was answered or not, or (`wasAsked` is false) a wait is over. True: the connection may be used again. */
  onIdleCheck(reply: IdleCheckResult, requests: number, now: number, wasAsked = true): boolean {
    if (wasAsked) this.#asking = false;
    if (reply.closed === null) {
      this.onStayedOpen();
      if (reply.values === null) this.#ends.delete(requests);
      else this.onValues(reply.values);
      return reply.values === null || this.#isPhpFpm === true;
    }
    if (reply.closed === 'unanswered') this.#notAnswered(now);
    else if (reply.closed === 'trailing-bytes') this.#isPhpFpm ??= false;
    return false;
  }

  /** By connections of its own; see DetectedBackend. */
  onDetected({ values, isDirect }: DetectedBackend, now: number): void {
    this.#examineAt = now + PROXY_CHECK_INTERVAL;
    if (values !== null) this.onValues(values);
    else if (this.#isPhpFpm !== true) this.#notAnswered(now);
    if (this.#isPhpFpm === false) this.#askAt = now + LONGEST_INTERVAL;
    // Without an answer it may be a server that shuts down: how it closes then tells nothing.
    if (this.#isPhpFpm === true && values !== null) this.#isDirect ??= isDirect;
  }

  /** Another server was met on some of those connections, or they had to go: not again for `pause` ms. */
  onNotDetected(now: number, pause: number = PROXY_CHECK_INTERVAL): void {
    this.#examineAt = now + pause;
    if (this.wantsOwnConnection || this.closesAll) this.#askAt = now + pause;
  }

  /** The server has answered FCGI_GET_VALUES. */
  onValues(values: ReadonlyMap<string, unknown>): void {
    this.#hasAnswered = true;
    this.ignoresGetValues = false;
    if (this.isConfigured) return;
    this.#isPhpFpm = values.size === 1 && String(values.get(ValueName.MPXS_CONNS)) === '0';
  }

  onGetValuesIgnored(): void {
    this.ignoresGetValues = !this.#hasAnswered;
  }

  /** The server has closed an idle connection after its `requests`th answer. */
  onServerClosed(requests: number): void {
    if (requests === 1) this.#endedAtOnce++;
    if (requests >= 1 && this.#ends.size < MOST_ENDS) this.#ends.add(requests);
  }

  /** It may have waited for the end of input, which PHP-FPM never does: it must show anew what it is. */
  onDoubted(): void {
    if (this.#isPhpFpm !== true || this.isConfigured) return;
    this.#isPhpFpm = null;
    this.#unanswered = 0;
    this.#askAt = 0;
  }

  /** PHP-FPM reads the end of input where another request might begin, and goes on. */
  onEndOfInputRefused(): void {
    this.#refusedEndOfInput = true;
  }

  /** It reads the end of input where another request might begin, and keeps the connection. */
  onEndOfInputTaken(): void {
    this.#takesEndOfInput = true;
  }

  /**
   * A response is whole; `endsStreams`: STDOUT or STDERR was ended by an empty record. PHP-FPM never sends one, most others do.
   * Where it comes all of a sudden, another server has taken the address over, and must show anew what it is.
   */
  onStreams(endsStreams: boolean): void {
    const isOther = endsStreams && this.#endsStreams === false;
    this.#endsStreams = endsStreams;
    const wasPhpFpm = this.#isPhpFpm === true || this.isDoubted;
    if (isOther && wasPhpFpm && !this.isConfigured) this.#replaced();
  }

  /** What is believed of it is over. */
  #replaced(): void {
    this.#changes++;
    this.#isPhpFpm = this.#changes > MOST_CHANGES ? false : null;
    if (this.#isPhpFpm === null) this.#askAt = 0;
    this.#isDirect = this.isProxied ? false : null;
    this.#hasAnswered = false;
    this.#takesEndOfInput = false;
    this.#refusedEndOfInput = false;
    this.#unanswered = 0;
    this.#examineAt = 0;
  }

  onHalfClosed(): void {
    this.#isDirect = false;
  }

  onIdsMixed(): void {
    this.mixesIds = true;
    if (!this.isConfigured) this.#isPhpFpm = false;
  }

  #notAnswered(now: number): void {
    if (this.isDoubted) this.#replaced();
    this.#unanswered++;
    const pause = QUERY_INTERVALS[this.#unanswered];
    this.#askAt = now + (pause ?? LONGEST_INTERVAL);
    if (pause === undefined) this.#isPhpFpm ??= false;
  }
}
