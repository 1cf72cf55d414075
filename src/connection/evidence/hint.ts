/** The likely cause of a failure, in words an operator of PHP-FPM can act on. */
import type { FcgiError, Phase } from '../../errors.ts';
import type { PrematureClose } from './premature-close.ts';
import type { ServerFacts } from './server.ts';

/** ms. `request_terminate_timeout` is in whole seconds; what dies sooner has died of something else. */
const SHORTEST_TERMINATION = 900;

/** What a hint is made of, besides the signs. */
export interface HintFacts {
  readonly transport: 'unix' | 'tcp';
  readonly server: ServerFacts;
  /** ms since the request was sent. */
  readonly elapsed: number;
  /** See Exchange. */
  readonly restsOnBody?: boolean;
  readonly isBodyDoubted?: boolean;
  readonly isOtherEnded?: boolean;
  /** Reset with some of the request unread, if no proxy stands in between. */
  readonly isUnreadIfDirect?: boolean;
}

type Failure = Pick<FcgiError, 'code' | 'reused' | 'bytesReceived' | 'executed' | 'phase'>;

/** '' where nothing useful can be said. */
export function hint(error: Failure, cause: PrematureClose, at: HintFacts): string {
  const likely = likelyCause(error, cause, at);
  if (at.restsOnBody && at.isBodyDoubted && error.executed === 'unknown') return `${likely}. ${BODY_LEFT}`;
  return at.restsOnBody && error.executed === 'no' ? `${likely}. ${RESTS_ON_BODY}` : likely;
}

const BODY_LEFT =
  'It has left the body unread: where php.ini has `enable_post_data_reading = 0` or a small `post_max_size`, say `postDataReading`; else php-fpm was reloaded or stopped in the very moment';

const RESTS_ON_BODY =
  'Or a script that starts before its body is read has killed it: where php.ini has neither `enable_post_data_reading = 0` nor a small `post_max_size`, say `postDataReading: 16384`';

function likelyCause(error: Failure, cause: PrematureClose, at: HintFacts): string {
  const { isPhpFpm } = at.server;
  if (at.isOtherEnded && error.bytesReceived === 0) return MIXED;
  if (error.code === 'FCGI_ERR_HEADERS_TIMEOUT' || error.code === 'FCGI_ERR_BODY_TIMEOUT')
    return isPhpFpm === false ? ofSlowProgram(error) : ofSlowScript(error, at.transport);
  const ofResponse = OF_RESPONSE[error.code];
  if (ofResponse !== undefined) return ofResponse;
  if (!error.code.startsWith('FCGI_ERR_SOCKET')) return '';
  if (error.executed === 'no') return notRun(error, cause, at);
  if (cause.afterFin === 'accepted' && isPhpFpm !== false) return HALF_CLOSED;
  if (isPhpFpm === false) return ofAnother(error);
  if (mayHaveLeft(error, cause, at)) return `${UNREAD}. ${LEAVES}`;
  const { isDirect, isProxied, ignoresGetValues } = at.server;
  if (isDirect !== false && cause.afterFin === 'refused' && error.reused && at.transport === 'tcp')
    return `${ofPhp(error, at)}. ${ALIKE}`;
  if (isDirect !== false && isUntold(error, cause, at)) return UNTOLD;
  if (
    isPhpFpm === true &&
    isDirect === null &&
    at.isUnreadIfDirect &&
    !mayBeTurnedAway(error, at.transport, at.server)
  )
    return STOPPED;
  if (isDirect !== false) return ofPhp(error, at);
  const died = ofPhp(error, at);
  const mustSay = isProxied !== true && error.bytesReceived === 0;
  const either = mustSay ? `${died} (${PROXY}). Or that proxy` : `${died}. Or the TCP proxy in between`;
  const notAsked = ignoresGetValues && error.bytesReceived === 0 ? `. ${NOT_ASKED}` : '';
  return `${either} ${ENDED_IT}${notAsked}`;
}

/** Nothing of an answer is here yet. */
export function ofSilence(
  reused: boolean,
  isPhpFpm: boolean | null,
  transport: HintFacts['transport'],
): string {
  const failure = { reused, phase: 'waiting' } as const;
  return isPhpFpm === false ? ofSlowProgram(failure) : ofSlowScript(failure, transport);
}

/** Where all workers are busy: the listen queue of a unix socket is 0 on the status page, however many wait. */
export const HOW_MANY_WAIT: Readonly<Record<HintFacts['transport'], string>> = {
  unix: 'see `pm.max_children`, and how many wait: Recv-Q of its socket in `ss -xl`',
  tcp: 'see `pm.max_children`, and how many wait: the listen queue on the status page',
};

/** PHP-FPM, or nobody knows yet. */
function ofSlowScript(
  { reused, phase }: Pick<Failure, 'reused' | 'phase'>,
  transport: HintFacts['transport'],
): string {
  if (phase === 'head' || phase === 'body') return 'the script has begun to answer, and is slow to go on';
  const slow = phase === 'sending' ? 'the script is slow to read its body' : 'the script is slow';
  return reused ? `${slow}. ${HELD}` : `${slow}, or all workers are busy: ${HOW_MANY_WAIT[transport]}`;
}

function ofSlowProgram({ reused, phase }: Pick<Failure, 'reused' | 'phase'>): string {
  const slow = 'the program behind the server is slow';
  return reused || phase === 'head' || phase === 'body' ? slow : `${slow}, or all its processes are busy`;
}

/**
 * Whatever a script starts by `exec("... &")` has its connection open as well: it stays open when the worker leaves, at a reload say, and takes
 * a request that nobody will ever read.
 */
const HELD =
  'Or nobody reads: the worker is not back from the request before it, or has left while a process that a script had started in the background holds the connection. Such a script should say `header("Connection: close")`';

const MIXED =
  'the server has mixed up the requests of a connection: from now on each has one of its own, as with `keepalive: 0`';

/** What is wrong with the response itself. */
const OF_RESPONSE: Readonly<Record<string, string>> = {
  FCGI_ERR_HEAD_MISSING:
    'a response begins with header lines and an empty line: the program wrote none, or ended before; see `stderr` and its log',
  FCGI_ERR_HEAD_INVALID:
    'a header is `Name: value`, in one line: look for the quoted line in the `header()` calls of the script; a program that is not PHP may have written its page, or an error, without header lines and an empty line in front',
  FCGI_ERR_HEAD_TOO_LARGE: 'raise `maxHeaderSize`, or send fewer and shorter headers',
  FCGI_ERR_RECORD_ID: MIXED,
};

const PROXY =
  'a TCP proxy stands in between, so nothing is proven by how the connection ended: say `proxied: true`';

/** HAProxy's `timeout server` and `timeout client`, nginx's `proxy_timeout`. */
const ENDED_IT =
  'ended the connection: by a timeout of its own, as it was restarted, or as it reached no server';

const NOT_ASKED =
  'Where it waits for a worker cannot be told from that, as the server leaves FCGI_GET_VALUES unanswered: is it php-fpm, as `backend` says?';

/** A worker that discards behind its FIN is told to leave by a reload, and closes. */
const ALIKE =
  'Or php-fpm was reloaded just as the worker was recycled (`pm.max_requests`), before it read the request: over tcp the two look alike';

/** Neither an acknowledgement nor a reset: most likely nothing is wrong with the script. */
const UNTOLD =
  'the worker was recycled (`pm.max_requests`) before it read the request, or it died: over tcp only Linux tells which, in /proc/net/tcp, and here it did not (with `node --permission` allow `--allow-fs-read=/proc/net`). A unix socket needs nothing of the kind';

const UNREAD =
  'the server left something of the request unread: its process has left, or has died; see its log';

/** As PHP-FPM's workers do at `pm.max_requests`, of which it can be told whether the request was run. */
const LEAVES =
  'Where its processes end after a number of requests, this one ended before it read the request, most likely: with `keepalive: 0` none is lost so';

/** Without a proxy no worker had it. Nobody answers, so that it cannot be found out whether there is one. */
const STOPPED =
  'php-fpm was stopped or reloaded before a worker read the request, most likely; or the worker died, behind a TCP proxy of which nobody answers now to tell: see the log of php-fpm';

/** The other end goes on reading, though it has answered nothing and will not. */
const HALF_CLOSED = `the server ended its side and went on reading: so does a TCP proxy when the worker behind it has died; if there is one, say \`proxied: true\``;

const TURNED_AWAY =
  'php-fpm closed a fresh connection without a word: is this host in `listen.allowed_clients`?';

function notRun(error: Failure, cause: PrematureClose, { transport, server }: HintFacts): string {
  if (cause.afterFin === 'accepted')
    return 'the worker was recycled (`pm.max_requests`) before it read the request';
  if (cause.afterFin === 'crossed' && error.reused)
    return 'the worker had left before the request came: it was recycled (`pm.max_requests`), or php-fpm was reloaded or stopped';
  if (server.isPhpFpm !== true) return 'the connection took nothing of the request';
  if (mayBeTurnedAway(error, transport, server)) return `${TURNED_AWAY} Else it was reloaded or stopped`;
  return 'the worker left before it read the request: php-fpm was reloaded or stopped';
}

const DOING: Readonly<Partial<Record<Phase, string>>> = {
  sending: 'before all of the request was sent to it',
  head: 'while it answered',
  body: 'while it answered',
};

/** The server ended its side of a kept connection, and what its kernel does with what comes is not known. */
function isUntold(error: Failure, { sign, afterFin }: PrematureClose, { transport }: HintFacts): boolean {
  const isFin = sign === 'fin' && afterFin === 'not-probed';
  return isFin && transport === 'tcp' && error.reused && error.bytesReceived === 0;
}

/** PHP-FPM, or nobody knows yet. */
function ofPhp(error: Failure, { transport, server, elapsed }: HintFacts): string {
  const died = `the worker died ${DOING[error.phase] ?? 'while running the script'}`;
  if (elapsed >= SHORTEST_TERMINATION) {
    const seconds = (elapsed / 1000).toFixed(1);
    return `${died}, after ${seconds} s: \`request_terminate_timeout\`, a crash, or a restart of php-fpm; see its log`;
  }
  if (mayBeTurnedAway(error, transport, server)) return `${TURNED_AWAY} Else ${died}; see its log`;
  return `${died}: a crash, or it was killed; see ${server.isPhpFpm === true ? 'the log of php-fpm' : 'its log'}`;
}

/** Not PHP-FPM: it may have begun before it has read all. */
function ofAnother(error: Failure): string {
  if (error.bytesReceived > 0) return 'the server ended the connection while it answered; see its log';
  const ended =
    'the server ended the connection without an answer: as it is not php-fpm, it may have begun before it had read all; see its log';
  return error.reused ? `${ended}. ${LEAVES}` : ended;
}

/** Nobody knows what it is, and it need not be PHP-FPM: then no script need have been begun. */
function mayHaveLeft(error: Failure, { sign }: PrematureClose, { server, elapsed }: HintFacts): boolean {
  const isUnknown = server.isPhpFpm === null && server.isDirect === null;
  return (
    isUnknown &&
    sign === 'reset' &&
    error.reused &&
    error.bytesReceived === 0 &&
    elapsed < SHORTEST_TERMINATION
  );
}

function mayBeTurnedAway(error: Failure, transport: 'unix' | 'tcp', server: ServerFacts): boolean {
  return transport === 'tcp' && !error.reused && error.bytesReceived === 0 && !server.answersGetValues;
}

/**
 * Of what PHP-FPM writes to STDERR where there is no script at SCRIPT_FILENAME (it answers 404, "File not found."), or one that it may
 * not read or not run (403), or that its system does not let it open for the moment.
 */
export function scriptHint(stderr: string, script: string): string {
  if (/Unable to open primary script.*\(Permission denied\)/.test(stderr))
    return `php-fpm may not read ${script}: it must be readable for the \`user\` of its pool`;
  // PHP refuses its own `open` so, and says which paths it would have allowed in a message of its own
  if (/Unable to open primary script.*\(Operation not permitted\)/.test(stderr))
    return `php-fpm may not open ${script}: it must lie below \`open_basedir\` of php.ini or of its pool`;
  if (/Access to the script '.*' has been denied \(see security\.limit_extensions\)/.test(stderr))
    return `php-fpm runs no file that ends as ${script} does: \`security.limit_extensions\` of its pool has the endings that it runs`;
  const [, reason = ''] = /Unable to open primary script: .*\((.+)\)/.exec(stderr) ?? [];
  if (reason === 'Too many open files')
    return `a worker of php-fpm has too many files open to read ${script}: \`rlimit_files\` of its pool, else \`ulimit -n\` where php-fpm is started, is how many it may have`;
  if (
    /^(Too many open files in system|Cannot allocate memory|Input\/output error|Stale file handle)$/.test(
      reason,
    )
  )
    return `php-fpm could not open ${script}: ${reason}`;
  if (!/Primary script unknown|Unable to open primary script/.test(stderr)) return '';
  return `php-fpm found no script at ${script}: is this its path where php-fpm runs, and may its user read it?`;
}
