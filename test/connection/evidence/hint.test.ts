import { expect, it } from 'vitest';
import { type HintFacts, hint, ofSilence, scriptHint } from '../../../src/connection/evidence/hint.ts';
import type { PrematureClose } from '../../../src/connection/evidence/premature-close.ts';

type Failure = Parameters<typeof hint>[0];

/** A request on a kept connection to PHP-FPM over a unix socket, lost before its answer: it may have run. */
const lost: Failure = {
  code: 'FCGI_ERR_SOCKET_CLOSED',
  reused: true,
  bytesReceived: 0,
  executed: 'unknown',
  phase: 'waiting',
};
const fin: PrematureClose = { sign: 'fin', error: null, reason: 'failed', afterFin: 'refused' };
const php: HintFacts = { transport: 'unix', server: { isPhpFpm: true, isDirect: true }, elapsed: 10 };
const reset: PrematureClose = { ...fin, sign: 'reset', afterFin: 'not-probed' };
const accepted: PrematureClose = { ...fin, afterFin: 'accepted' };
const crossed: PrematureClose = { ...fin, afterFin: 'crossed' };
const other: HintFacts = { ...php, server: { isPhpFpm: false, isDirect: true } };
const unknown: HintFacts = { ...php, server: { isPhpFpm: null, isDirect: null } };
const proxied: HintFacts = { ...php, server: { isPhpFpm: true, isDirect: false } };
const told: HintFacts = { ...proxied, server: { ...proxied.server, isProxied: true } };
const silent: HintFacts = { ...proxied, server: { ...proxied.server, ignoresGetValues: true } };
const tcp: HintFacts = { ...php, transport: 'tcp' };
const untold: HintFacts = {
  ...php,
  server: { isPhpFpm: true, isDirect: null },
  elapsed: 1_000,
  isUnreadIfDirect: true,
};
const knows: HintFacts = { ...tcp, server: { ...tcp.server, answersGetValues: true } };
const fresh: Failure = { ...lost, reused: false };
const notRun: Failure = { ...lost, executed: 'no' };
const timeout: Failure = { ...fresh, code: 'FCGI_ERR_HEADERS_TIMEOUT' };
const keptTimeout: Failure = { ...timeout, reused: true };
const begun: Failure = { ...timeout, bytesReceived: 9, executed: 'yes', phase: 'head' };
const stopped: Failure = { ...begun, code: 'FCGI_ERR_BODY_TIMEOUT', phase: 'body' };
const half: Failure = { ...lost, bytesReceived: 9, phase: 'head' };

it.each<[string, Failure, PrematureClose, HintFacts, RegExp]>([
  ['no answer on a fresh connection', timeout, fin, php, /all workers are busy: see `pm.max_children`/],
  ['the same of an unknown server', timeout, fin, unknown, /`pm.max_children`/],
  [
    'the same of another server',
    timeout,
    fin,
    other,
    /^the program behind the server is slow, or all its processes are busy$/,
  ],
  ['a body of another server that stops', stopped, fin, other, /^the program behind the server is slow$/],
  [
    'no answer on a kept one',
    keptTimeout,
    fin,
    php,
    /^the script is slow\. Or .* `header\("Connection: close"\)`$/,
  ],
  ['the same of another server', keptTimeout, fin, other, /^the program behind the server is slow$/],
  [
    'a body that is not read',
    { ...timeout, phase: 'sending' },
    fin,
    php,
    /slow to read its body, or all workers/,
  ],
  ['the same on a kept one', { ...keptTimeout, phase: 'sending' }, fin, php, /slow to read its body\. Or/],
  [
    'no answer of a server that has answered under another id',
    keptTimeout,
    fin,
    { ...other, isOtherEnded: true },
    /mixed up the requests/,
  ],
  ['STDERR, and then no head', begun, fin, php, /^the script has begun to answer/],
  ['the same of another server', begun, fin, other, /^the program behind the server is slow$/],
  ['a body that stops', stopped, fin, php, /^the script has begun to answer/],
  ['a head that is too large', { ...lost, code: 'FCGI_ERR_HEAD_TOO_LARGE' }, fin, php, /`maxHeaderSize`/],
  ['an abort', { ...lost, code: 'FCGI_ERR_ABORTED' }, fin, php, /^$/],
  ['a recycled worker', notRun, accepted, php, /`pm.max_requests`/],
  ['a worker that had left', notRun, crossed, tcp, /`pm.max_requests`.* or php-fpm was reloaded or stopped$/],
  ['the same on a fresh connection', { ...fresh, executed: 'no' }, crossed, tcp, /allowed_clients.*reloaded/],
  ['a server that took nothing', notRun, fin, unknown, /^the connection took nothing of the request$/],
  ['a reload', notRun, fin, php, /^the worker left before it read the request/],
  ['a reload, or a host not allowed', { ...fresh, executed: 'no' }, fin, tcp, /allowed_clients.*reloaded/],
  ['a reload, on a kept tcp connection', notRun, fin, tcp, /^the worker left/],
  ['a half-closed connection', lost, accepted, unknown, /so does a TCP proxy .* say `proxied: true`$/],
  ['a half-closed connection of another server', lost, accepted, other, /^the server ended the connection/],
  [
    'another server',
    lost,
    fin,
    other,
    /without an answer: as it is not php-fpm.* a number of requests.*`keepalive: 0`/,
  ],
  ['another server, on a fresh connection', fresh, fin, other, /it had read all; see its log$/],
  [
    'a reset of an unknown server',
    lost,
    reset,
    unknown,
    /^the server left .* unread: .* a number of requests.*`keepalive: 0`/,
  ],
  ['the same on a fresh connection', fresh, reset, unknown, /^the worker died .*; see its log$/],
  [
    'a reset of PHP-FPM, of which nobody answers any more',
    fresh,
    reset,
    untold,
    /^php-fpm was stopped or reloaded .*; or the worker died, behind a TCP proxy/,
  ],
  [
    '... where all of it had been read',
    fresh,
    reset,
    { ...untold, isUnreadIfDirect: false },
    /^the worker died/,
  ],
  [
    '... over tcp, where it has let nobody in so far',
    fresh,
    reset,
    { ...untold, transport: 'tcp', elapsed: 10 },
    /allowed_clients/,
  ],
  [
    'the same after nearly a second',
    lost,
    reset,
    { ...unknown, elapsed: 900 },
    /`request_terminate_timeout`/,
  ],
  [
    'a reset of one that must show anew that it is PHP-FPM',
    lost,
    reset,
    { ...unknown, server: { isPhpFpm: null, isDirect: true } },
    /^the worker died/,
  ],
  ['another server in the middle of its answer', half, fin, other, /while it answered; see its log$/],
  ['a crash', lost, fin, php, /^the worker died while running the script: .* see the log of php-fpm$/],
  [
    'an upload that took too long',
    { ...lost, phase: 'sending' },
    fin,
    { ...php, elapsed: 1200 },
    /^the worker died before all of the request was sent to it, after 1.2 s: `request_terminate_timeout`/,
  ],
  ['a crash of an unknown server', lost, fin, unknown, /see its log$/],
  ['a crash in the middle of its answer', half, fin, php, /^the worker died while it answered: a crash/],
  [
    'a crash on a kept tcp connection',
    lost,
    fin,
    tcp,
    /^the worker died .*php-fpm\. Or php-fpm was reloaded/,
  ],
  [
    'the end of a kept tcp connection of which the kernel tells nothing more',
    lost,
    { ...fin, afterFin: 'not-probed' },
    tcp,
    /^the worker was recycled \(`pm.max_requests`\).*, or it died: .*`--allow-fs-read=\/proc\/net`\)\. A unix socket/,
  ],
  [
    '... behind a proxy',
    lost,
    { ...fin, afterFin: 'not-probed' },
    { ...proxied, transport: 'tcp' },
    /^the worker died .*\(a TCP proxy/,
  ],
  ['a crash on a fresh tcp connection', fresh, { ...fin, afterFin: 'not-probed' }, knows, /^the worker died/],
  ['the same, by its reset', lost, { ...fin, sign: 'reset', afterFin: 'not-probed' }, tcp, /of php-fpm$/],
  ['a crash after less than a second', lost, fin, { ...php, elapsed: 899 }, /: a crash, or it was killed/],
  ['a script that took too long', lost, fin, { ...php, elapsed: 900 }, /after 0.9 s: `request_terminate/],
  ['a crash, or a host not allowed', fresh, fin, tcp, /allowed_clients`\? Else the worker died/],
  ['a crash of one that has let this host in', fresh, fin, knows, /^the worker died/],
  ['a reload of the same', { ...fresh, executed: 'no' }, fin, knows, /^the worker left/],
  ['a crash on a fresh unix connection', fresh, fin, php, /^the worker died/],
  ['... with a piece of an answer, over tcp', { ...half, reused: false }, fin, tcp, /^the worker died/],
  [
    'a crash behind a proxy',
    lost,
    fin,
    proxied,
    /see the log of php-fpm \(a TCP proxy .* say `proxied: true`\)\. Or that proxy ended .* reached no server$/,
  ],
  [
    'the same, of one that is said to be PHP-FPM',
    lost,
    fin,
    silent,
    /`proxied: true`\). .* as `backend` says\?$/,
  ],
  [
    'a crash behind a proxy that was told, or a timeout of that',
    lost,
    fin,
    told,
    /see the log of php-fpm\. Or the TCP proxy in between ended .* timeout .* restarted, .* no server$/,
  ],
  [
    '... in the middle of its answer',
    half,
    fin,
    proxied,
    /see the log of php-fpm\. Or the TCP proxy in between ended/,
  ],
])('the hint for %s', (_, error, cause, at, expected) => {
  expect(hint(error, cause, at)).toMatch(expected);
});

it.each<[string, boolean, boolean, Failure['executed'], string | null]>([
  ['that was to be read first', true, false, 'no', 'Or a script that starts before its body is read'],
  ['of which that is doubted', true, true, 'unknown', 'It has left the body unread'],
  ['of which it is, and it was not run in any case', true, true, 'no', 'Or a script that starts before'],
  ['that was to be read first, and may have run in any case', true, false, 'unknown', null],
  ['on which nothing rests', false, true, 'unknown', null],
])(
  'a lost request with a body %s: the option is named where it would help',
  (_, rests, doubted, executed, said) => {
    const text = hint({ ...lost, executed }, reset, { ...php, restsOnBody: rests, isBodyDoubted: doubted });
    if (said === null) expect(text).not.toContain('postDataReading');
    else expect(text).toContain(`. ${said}`);
  },
);

it.each<[boolean | null, RegExp]>([
  [true, /^the script is slow, or all workers are busy: see `pm.max_children`/],
  [null, /^the script is slow, or all workers are busy: see `pm.max_children`/],
  [false, /^the program behind the server is slow, or all its processes are busy$/],
])('while nothing of an answer is here, of PHP-FPM (%s)', (isPhpFpm, expected) => {
  expect(ofSilence(false, isPhpFpm, 'unix')).toMatch(expected);
});

it('a crash without a proxy says nothing of one', () => {
  expect(hint(lost, fin, php)).not.toContain('proxy');
  expect(hint(lost, fin, unknown)).not.toContain('proxy');
});

it('who has said that there is a proxy is not told to say so', () => {
  for (const error of [lost, half]) expect(hint(error, fin, told)).not.toContain('`proxied: true`');
});

it('of a script that php-fpm did not find its path is named, of another message nothing', () => {
  expect(scriptHint('Primary script unknown', '/a.php')).toContain('/a.php');
  expect(scriptHint('PHP Warning: no', '/a.php')).toBe('');
});

it('of a script that php-fpm may not read the user of its pool is named, or open_basedir', () => {
  const stderr =
    'PHP message: PHP Fatal error:  Unable to open primary script: /a.php (Permission denied) in Unknown';
  expect(scriptHint(stderr, '/a.php')).toMatch(/^php-fpm may not read \/a\.php: .*`user` of its pool$/);
  const outside = 'Unable to open primary script: /a.php (Operation not permitted)';
  expect(scriptHint(outside, '/a.php')).toMatch(/^php-fpm may not open \/a\.php: .*`open_basedir`/);
  expect(scriptHint('Unable to open primary script: /a.php (No such file)', '/a.php')).toMatch(/found no/);
});

it('of a script that the system of php-fpm does not open its reason is named, and not the path', () => {
  const because = (reason: string): string =>
    scriptHint(`Unable to open primary script: /srv (1)/a.php (${reason})`, '/srv (1)/a.php');
  expect(because('Too many open files')).toMatch(
    /too many files open to read .*: `rlimit_files` .*`ulimit -n`/,
  );
  for (const reason of ['Too many open files in system', 'Input/output error', 'Stale file handle'])
    expect(because(reason)).toBe(`php-fpm could not open /srv (1)/a.php: ${reason}`);
  expect(because('No such file or directory')).toMatch(/^php-fpm found no script at /);
  expect(because('Too many levels of symbolic links')).toMatch(/^php-fpm found no script at /);
});

it('of a script with an ending that php-fpm does not run security.limit_extensions is named', () => {
  const stderr = "Access to the script '/a.phtml' has been denied (see security.limit_extensions)";
  expect(scriptHint(stderr, '/a.phtml')).toMatch(/ends as \/a\.phtml does: `security\.limit_extensions` /);
});
