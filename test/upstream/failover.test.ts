import { describe, expect, it } from 'vitest';
import { type FailedAttempt, type FailoverTarget, failover } from '../../src/upstream/failover.ts';

const usual: FailedAttempt = {
  policy: 'unexecuted',
  executed: 'no',
  idempotent: false,
  replayable: true,
  notConnected: false,
  reused: false,
  kind: 'died',
  counts: false,
  usable: true,
  othersLeft: true,
  triesLeft: 4,
  budgetSpent: false,
};

const table: [string, Partial<FailedAttempt>, FailoverTarget][] = [
  ['a refused connect', { notConnected: true, kind: 'unreachable' }, 'elsewhere'],
  ['... by the last of them', { notConnected: true, kind: 'unreachable', othersLeft: false }, 'elsewhere'],
  [
    '... after all tries: it has not run',
    { notConnected: true, kind: 'unreachable', triesLeft: 0 },
    'elsewhere',
  ],
  ['... with retry never', { notConnected: true, policy: 'never' }, 'nowhere'],
  ['a recycled worker', { reused: true, kind: 'none' }, 'here'],
  ['... of a server that was taken out', { reused: true, kind: 'none', usable: false }, 'elsewhere'],
  ['a fresh connection closed unread', {}, 'elsewhere'],
  ['... where no other is left', { othersLeft: false }, 'here'],
  ['... after all tries', { triesLeft: 0 }, 'nowhere'],
  ['a server that says it is overloaded', { kind: 'busy' }, 'elsewhere'],
  ['a worker that died, by default', { executed: 'unknown' }, 'nowhere'],
  ['a POST whose worker died, idempotent', { executed: 'unknown', policy: 'idempotent' }, 'nowhere'],
  [
    'a GET whose worker died, idempotent',
    { executed: 'unknown', policy: 'idempotent', idempotent: true },
    'elsewhere',
  ],
  [
    '... where no other is left',
    { executed: 'unknown', policy: 'idempotent', idempotent: true, othersLeft: false },
    'here',
  ],
  [
    '... where too many are sent again already',
    { executed: 'unknown', policy: 'idempotent', idempotent: true, budgetSpent: true },
    'nowhere',
  ],
  ['a POST whose worker died, always', { executed: 'unknown', policy: 'always' }, 'elsewhere'],
  ['a POST whose body is gone', { executed: 'unknown', policy: 'always', replayable: false }, 'nowhere'],
  [
    'a timeout that counts against the server, idempotent',
    { executed: 'unknown', kind: 'silent', counts: true, policy: 'idempotent', idempotent: true },
    'elsewhere',
  ],
  [
    '... where no other is left',
    {
      executed: 'unknown',
      kind: 'silent',
      counts: true,
      policy: 'idempotent',
      idempotent: true,
      othersLeft: false,
    },
    'nowhere',
  ],
  [
    '... of a script that is slow, as others are answered',
    { executed: 'unknown', kind: 'silent', policy: 'idempotent', idempotent: true },
    'nowhere',
  ],
  ['a timeout, by default', { executed: 'unknown', kind: 'silent', counts: true }, 'nowhere'],
  ['what has answered already', { executed: 'yes', policy: 'always' }, 'nowhere'],
];

describe('where a request goes that has failed on one server', () => {
  it.each(table)('%s: %o -> %s', (_, facts, where) => {
    expect(failover({ ...usual, ...facts })).toBe(where);
  });
});
