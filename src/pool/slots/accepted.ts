/** A connection to PHP-FPM that one of its workers has accepted, where that matters: see learned/accept-check.ts. */
import type { Clock } from '../../connection/clock.ts';
import { HOW_MANY_WAIT } from '../../connection/evidence/hint.ts';
import { type GetValuesResult, getValues } from '../../connection/get-values.ts';
import type { CloseReason } from '../../connection/reuse.ts';
import type { Target } from '../../connection/socket/address.ts';
import { type Connected, timedOut } from '../../connection/socket/connect.ts';
import { ConnectError, SocketError, TimeoutError } from '../../errors.ts';
import type { AcceptCheck } from '../learned/accept-check.ts';
import type { BackendKind } from '../learned/backend-kind.ts';
import { pauseAfter } from './dial.ts';

export interface AcceptOptions {
  readonly target: Target;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly acceptCheck: AcceptCheck;
  /** What is known of the server that a connection leads to. */
  readonly backendAt: (endpoint: string) => BackendKind;
  /** A reset would prove that its request was not run, or it may run twice. */
  readonly isProvable: boolean;
  /** ms: for new tries once a connection was closed before it was accepted; 0: none. */
  readonly connectTimeout: number;
  /** ms for a worker to come free; 0: no limit. */
  readonly headersTimeout: number;
  /** Try again where the connection was closed; else another server is asked first. */
  readonly retryRefused: boolean;
  /** One more is open than workers have been seen of late. */
  isOneMore(): boolean;
  /** So many that were opened later have a worker by now that the one that waits is with a server that hangs. */
  isPassed(): boolean;
  /** Its server was taken out of the list: another one is to have the request, of which nothing was sent. */
  isRetired(): boolean;
  /**
   * A connection waits for a worker; one has it; it is closed instead. `connecting`: ms that the connect has taken, our own event loop
   * included.
   */
  onAsked(): void;
  onAccepted(connecting: number): void;
  onClosed(reason: CloseReason, openedAt: number): void;
}

/** ms for an answer of a server that has never given one; and of one that was asked in vain before. */
const FIRST_ANSWER = 3_000;
const DOUBTED_ANSWER = 250;

const CLOSE_REASONS = {
  fin: 'server-closed',
  reset: 'reset',
  nonsense: 'protocol-error',
  silence: 'unanswered',
  hopeless: 'unanswered',
  stopped: 'aborted',
} as const;

const NOT_ACCEPTED = 'php-fpm was stopped before a worker had accepted the connection, so nothing was sent';
const NOT_BEHIND_PROXY =
  'a TCP proxy took the connection, and no worker of php-fpm did, so nothing was sent: php-fpm was stopped, or the proxy has no server';
const NO_FPM = 'Or it is no php-fpm, although `backend` says so: it has never answered FCGI_GET_VALUES';

/**
 * `connect` opens a connection, and rejects as it likes. Rejects with the signal's reason; a ConnectError where connections are
 * closed before they are accepted; FCGI_ERR_HEADERS_TIMEOUT where no worker comes free. Nothing of the request was sent then.
 */
export async function accepted(
  connect: () => Promise<Connected>,
  options: AcceptOptions,
): Promise<Connected> {
  const { target, clock, random, signal, acceptCheck, connectTimeout } = options;
  let deadline = Number.POSITIVE_INFINITY;
  let { answers } = acceptCheck;
  // How long it has waited for a worker in vain, ms.
  let waited = 0;
  for (let failures = 0; ; ) {
    const dialledAt = clock.now();
    const connected = await connect();
    const begun = clock.now();
    const connecting = begun - dialledAt;
    const backend = options.backendAt(connected.endpoint ?? '');
    const isKnown = backend.answersGetValues;
    // What is only said to be PHP-FPM would cost FIRST_ANSWER.
    const isOneMore = isKnown && options.isOneMore();
    if (!acceptCheck.isDue(backend, options.isProvable, connecting, isOneMore)) return connected;
    const { end, isUseless } = await asked(connected, backend, options, waited, connecting);
    if (end === 'stopped') acceptCheck.onLeft();
    if (signal.aborted) throw signal.reason;
    if (end === null) return { ...connected, isAccepted: true, openedAt: begun };
    if (options.isRetired()) throw takenOut(target);
    waited += clock.now() - begun;
    if (isUseless || end === 'hopeless') continue;
    if (end === 'silence') throw noWorker(options.headersTimeout, target);
    // Others have been let in since it was closed before: it has waited for a worker meanwhile, and was not refused.
    if (acceptCheck.answers > answers) {
      deadline = Number.POSITIVE_INFINITY;
      failures = 0;
    }
    answers = acceptCheck.answers;
    const error = notAccepted(target, end, hintFor(backend, isKnown));
    if (!options.retryRefused || connectTimeout === 0) throw error;
    deadline = Math.min(deadline, clock.now() + connectTimeout);
    const pause = pauseAfter(failures++, random);
    if (clock.now() + pause >= deadline) {
      throw timedOut(target, connectTimeout, error).learn({ hint: error.hint });
    }
    await clock.sleep(pause, signal);
  }
}

/** `isUseless`: it is better to do without, as the server closes behind its answer, or has never given one. */
async function asked(
  connected: Connected,
  backend: BackendKind,
  options: AcceptOptions,
  waited: number,
  connecting: number,
): Promise<{ readonly end: GetValuesResult['end']; readonly isUseless: boolean }> {
  const { clock, signal, acceptCheck, headersTimeout } = options;
  const openedAt = clock.now();
  const isKnown = backend.answersGetValues;
  const inTurn = !acceptCheck.staysOpen;
  const first = acceptCheck.isDoubted ? DOUBTED_ANSWER : FIRST_ANSWER;
  const left = headersTimeout > 0 ? Math.max(1, headersTimeout - waited) : 0;
  const timeout = isKnown || (left > 0 && left < first) ? left : first;
  options.onAsked();
  const { values, end } = await getValues(connected, {
    clock,
    timeout,
    signal,
    times: 2,
    inTurn,
    // Or another server has been put in the place of PHP-FPM, as an answer on another connection shows: it need not know the question.
    isHopeless: () => options.isPassed() || options.isRetired() || (isKnown && !backend.answersGetValues),
  });
  if (values !== null) backend.onValues(values);
  if (end === null) {
    acceptCheck.onAnswer();
    options.onAccepted(connecting);
    return { end, isUseless: false };
  }
  options.onClosed(CLOSE_REASONS[end], openedAt);
  const isIgnored = !isKnown && values === null && (end === 'silence' || end === 'nonsense');
  const isGivenUp = end === 'stopped' || end === 'hopeless';
  const isUseless = isIgnored || (values !== null && inTurn && !isGivenUp);
  if (isIgnored) backend.onGetValuesIgnored();
  if (isUseless) acceptCheck.onFailure();
  else if (!isGivenUp) acceptCheck.onLost();
  return { end, isUseless };
}

function noWorker(timeout: number, { transport }: Target): TimeoutError {
  const message = `no worker accepted the connection for ${timeout} ms`;
  return new TimeoutError('FCGI_ERR_HEADERS_TIMEOUT', message, {
    facts: {
      phase: 'connecting',
      hint: `all workers are busy, so nothing was sent: ${HOW_MANY_WAIT[transport]}`,
    },
  });
}

function takenOut(target: Target): ConnectError {
  const message = `${target.name} was taken out of the list before a worker had accepted the connection`;
  return new ConnectError('FCGI_ERR_CONNECT', message, { facts: { phase: 'connecting' } });
}

function hintFor({ isDirect }: BackendKind, isKnown: boolean): string {
  const hint = isDirect === false ? NOT_BEHIND_PROXY : NOT_ACCEPTED;
  return isKnown ? hint : `${hint}. ${NO_FPM}`;
}

function notAccepted(target: Target, end: GetValuesResult['end'], hint: string): ConnectError {
  const cause =
    end === 'reset'
      ? new SocketError('FCGI_ERR_SOCKET_RESET', 'the connection was reset')
      : new SocketError('FCGI_ERR_SOCKET_CLOSED', 'the connection was closed');
  return new ConnectError('FCGI_ERR_CONNECT', `no worker accepted the connection to ${target.name}`, {
    cause,
    facts: { phase: 'connecting', hint },
  });
}
