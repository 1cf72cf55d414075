/** The table of the promise: what was seen in words, and what the code makes of it. */
import { type Evidence, judgeExecuted } from '../../src/connection/evidence/evidence.ts';

/** A small POST on a kept connection to PHP-FPM, wholly taken, of which nothing was heard. */
const kept: Evidence = {
  sign: 'other',
  afterFin: 'not-probed',
  answered: false,
  ofUnknownRequest: false,
  reused: true,
  elapsed: 5,
  isLocal: true,
  isUnix: false,
  sentTwice: false,
  nothingAccepted: false,
  wholeAccepted: true,
  terminatorSent: false,
  readBeforeScript: true,
  hasBody: true,
  isPhpFpm: true,
  isDirect: true,
};
const fin: Evidence = { ...kept, sign: 'fin' };
const reset: Evidence = { ...kept, sign: 'reset' };

const rows: readonly (readonly [string, Partial<Evidence>])[] = [
  ['no connection: refused, no such socket, backlog full, not in time', { ...kept, sign: 'not-connected' }],
  [
    'a TCP proxy or the kernel took the connection, and no worker answered FCGI_GET_VALUES on it: the request was not sent ([see below](#limits))',
    { ...kept, sign: 'not-connected', isDirect: false },
  ],
  [
    'the first write failed: the kernel took no byte',
    { ...kept, sign: 'write-refused', nothingAccepted: true },
  ],
  [
    'on a kept connection, within ten seconds: the server ended its side, and its kernel takes what we send on. A worker at `pm.max_requests` does so. unix: seen at once; tcp: its kernel has acknowledged it (Linux only)',
    { ...fin, afterFin: 'accepted' },
  ],
  ['the same on a fresh connection: a proxy does so', { ...fin, afterFin: 'accepted', reused: false }],
  ['the same, more than ten seconds later', { ...fin, afterFin: 'accepted', elapsed: 15_000 }],
  [
    'tcp: the server had ended its side before all of the request had come to it, as its FIN has not acknowledged that (Linux only); PHP reads the request whole before it starts the script',
    { ...fin, afterFin: 'crossed' },
  ],
  [
    'tcp: the server ended its side, and the very first write after that met a reset, which was for the request ([see below](#limits)); PHP reads the request whole before it starts the script',
    { ...fin, afterFin: 'first-refused' },
  ],
  [
    'tcp: the server ended its side, and there is neither an acknowledgement nor a reset',
    { ...fin, afterFin: 'not-probed' },
  ],
  ['the server ended its side and takes nothing more: the worker died', { ...fin, afterFin: 'refused' }],
  [
    'a reset, before the end of input was sent, for a request that PHP reads whole before it starts the script: no body, or a POST of up to 16 KiB that is not `multipart/`',
    reset,
  ],
  [
    'the same from another machine, more than ten seconds later: a load balancer or a firewall resets what has been idle',
    { ...reset, isLocal: false, elapsed: 15_000 },
  ],
  [
    'the same from another machine, and our kernel may have sent it twice: the first copy may have been run, and a firewall have reset the second',
    { ...reset, isLocal: false, sentTwice: true },
  ],
  [
    'a reset by a unix socket, before the end of input was sent, for a request without a body: its kernel resets only where somebody has left bytes unread',
    { ...reset, isUnix: true, hasBody: false },
  ],
  ['a reset, for any other request', { ...reset, readBeforeScript: false }],
  ['a reset, after the end of input was sent', { ...reset, terminatorSent: true }],
  [
    'the connection was lost while such a request was still being sent',
    { ...reset, terminatorSent: true, wholeAccepted: false },
  ],
  [
    'the same for a request without a body: PHP runs nothing before it has all of the params',
    { ...reset, terminatorSent: true, wholeAccepted: false, hasBody: false },
  ],
  ['a timeout of ours after sending, or the caller gave up', kept],
  ['a record of the response', { ...reset, answered: true }],
];

/** The same signs, where the server is not known to be PHP-FPM, or a proxy stands in between. */
export function verdicts(): [string, string][] {
  return rows.map(([words, seen]) => {
    const of = (server: Partial<Evidence>): string => judgeExecuted({ ...kept, ...seen, ...server });
    const [direct, proxied, other] = [of({}), of({ isDirect: false }), of({ isPhpFpm: false })];
    const less =
      direct === other
        ? ''
        : proxied === direct
          ? ` (another server: ${other})`
          : ` (a proxy in between, or another server: ${other})`;
    return [words, `${direct}${less}`];
  });
}
