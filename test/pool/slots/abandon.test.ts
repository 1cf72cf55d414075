/** What becomes of a connection whose caller has left: its worker runs the script in any case. */
import { describe, expect, it } from 'vitest';
import { Exchange } from '../../../src/connection/exchange.ts';
import { TimeoutError } from '../../../src/errors.ts';
import { abort, endAbandoned } from '../../../src/pool/slots/abandon.ts';
import { nobody } from '../../connection/support.ts';

interface Left {
  readonly closing?: boolean;
  /** Its request is sent whole, and nothing of the response is here. */
  readonly isAwaiting?: boolean;
  readonly closeOnAbort?: boolean;
  /** A worker was known to have the connection. */
  readonly proven?: boolean;
  readonly isDialling?: boolean;
  /** Its connection is asked for its worker, and nothing of it was sent. */
  readonly isAsked?: boolean;
}

const NOW = 5_000;
const BUDGET = 120;

/** What is done as the caller leaves. */
function left({
  closing = false,
  isAwaiting = true,
  closeOnAbort = false,
  proven = true,
  isDialling = false,
  isAsked = false,
}: Left) {
  const done: string[] = [];
  const reason = new TimeoutError('FCGI_ERR_HEADERS_TIMEOUT', 'too late');
  const exchange = new Exchange(nobody, 1, true, true, 0, 0);
  const connection = {
    proven,
    requests: 3,
    writer: { sent: 300 },
    isAwaiting: () => isAwaiting,
    fail: (_: unknown, why: string) => done.push(`closed: ${why}`),
    resume: () => done.push('read on'),
  };
  const job = {
    dialling: { abort: () => done.push('dial given up') },
    connection: isDialling ? null : connection,
    exchange: isDialling || isAsked ? null : exchange,
    request: { closeOnAbort },
    abandoned: null,
  };
  const learned = {
    acceptCheck: { onLeft: () => done.push('asks more') },
    ended: () => done.push('ended'),
    budget: () => BUDGET,
  };
  abort(job as never, reason, { learned: learned as never, clock: { now: () => NOW }, closing });
  return { done, job, reason };
}

describe('a caller who has left', () => {
  it.each<[string, Left, string[]]>([
    ['while his script runs: it runs on, and its connection with it', {}, ['ended', 'read on']],
    ['while it is sent, or answered: to close tells the script', { isAwaiting: false }, ['closed: aborted']],
    ['who has said so: closed', { closeOnAbort: true }, ['closed: aborted']],
    ['while the pool closes: it waits for nobody', { closing: true }, ['closed: pool-closed']],
    ['while it is dialled for him', { isDialling: true }, []],
    ['while a connection is asked for its worker: nothing runs for him', { isAsked: true }, []],
    [
      'before a worker was known to have his request: it may wait in the backlog, for nobody',
      { proven: false },
      ['asks more', 'ended', 'read on'],
    ],
  ])('%s', (_, seen, expected) => {
    expect(left(seen).done).toEqual(['dial given up', ...expected]);
  });

  it('is told that his request may have run, and that it was sent', () => {
    const { job, reason } = left({});
    expect(job.abandoned).toEqual({ until: NOW + BUDGET, reason });
    expect(reason).toMatchObject({ executed: 'unknown', requestsOnConnection: 3, bytesSent: 300 });
    expect(left({ closeOnAbort: true }).job.abandoned).toBeNull();
  });
});

it.each([
  ['nobody has it', undefined, NOW, []],
  ['its caller is there', null, NOW, []],
  ['its script has its time', NOW + 1, NOW, []],
  ['that is over', NOW, NOW, ['aborted']],
])(
  'a connection is closed once its script has run for too long for nobody: %s',
  (_, until, now, expected) => {
    const closed: string[] = [];
    const connection = { fail: (_: unknown, why: string) => closed.push(why) };
    const abandoned = typeof until === 'number' ? { until, reason: new Error('left') } : null;
    const job = until === undefined ? null : { abandoned };
    endAbandoned({ connection, job } as never, now);
    expect(closed).toEqual(expected);
  },
);
