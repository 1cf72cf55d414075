/** Who would be answered when its client has left is not let in: see patience.ts for what is known of that. */
import { describe, expect, it } from 'vitest';
import { Admission } from '../../../src/pool/queue/admission.ts';
import { BURST, Overload } from '../../../src/pool/queue/overload.ts';

const NONE = { size: 0, wait: 0, behindOthers: 0 };

/** `each` answers a second from 1000 to 9000, of scripts that take `took` ms; eleven clients leave after 2 s, all but the first second's answers came too late. */
function overloaded(each: number, took = 1_000): Overload {
  const overload = new Overload();
  overload.idle(1_000);
  for (let now = 1_000 + 1_000 / each; now <= 9_000; now += 1_000 / each) {
    overload.arrived(now);
    overload.served(now, now <= 2_000 ? 1_000 : took, now <= 2_000 ? took : -1);
  }
  for (let i = 0; i < 11; i++) overload.left(9_000, 2_000, true);
  return overload;
}

const now = 9_000;
const LONGEST = 1_600;

it('is told by how long clients stay', () => {
  expect(overloaded(8).longestStay(now)).toBe(LONGEST);
});

describe('one more may wait', () => {
  const eight = { now, sent: 8, workers: 8, usual: 1_000, backlog: 0, inBacklog: 0 };

  it('as long as it will be answered in time, by those before it and the pace', () => {
    // 13 of 8 a second take 1.6 s.
    expect(overloaded(8).refuses({ ...eight, queued: 4 })).toBeNull();
    expect(overloaded(8).refuses({ ...eight, queued: 5 })).toBeGreaterThan(0);
  });

  it('where it is not known how long clients stay, for a page', () => {
    const overload = new Overload();
    overload.idle(1_000);
    for (let at = 1_125; at <= now; at += 125) overload.served(at, 1_000);
    expect(overload.refuses({ ...eight, queued: 7 })).toBeNull();
  });

  it('where it waits for a moment only: the rest is what its page takes', () => {
    const many = { now, sent: 64, workers: 64, usual: 1_600, backlog: 0, inBacklog: 0 };
    // 71 of 40 a second take 1.8 s, but six take no more than 150 ms.
    expect(overloaded(40).refuses({ ...many, queued: 6 })).toBeNull();
    expect(overloaded(40).refuses({ ...many, queued: 9 })).toBeGreaterThan(0);
  });

  it('for 150 ms exactly', () => {
    const overload = new Overload();
    overload.idle(1_000);
    for (let i = 0; i < 449; i++) overload.served(1_500, 0);
    for (let i = 0; i < 11; i++) overload.left(2_000, 100, true);
    // 449 in 900 ms, and half of the 2 that run: one in 2 ms.
    const two = { now: 2_000, sent: 2, workers: 2, usual: 0, backlog: 0, inBacklog: 0 };
    expect(overload.longestStay(2_000)).toBe(80);
    expect(overload.refuses({ ...two, queued: 75 })).toBeNull();
    expect(overload.refuses({ ...two, queued: 76 })).toBeGreaterThan(0);
  });

  it('one for each worker, although more comes than is answered, and it waits for longer than others may', () => {
    const overload = new Overload();
    overload.idle(1_000);
    for (let at = 1_150, owed = 0; at <= now; at += 150) {
      for (owed += 1.5; owed >= 1; owed--) overload.arrived(at);
      overload.served(at, 100, at <= 2_000 ? 100 : -1);
    }
    for (let i = 0; i < 11; i++) overload.left(now, 2_000, true);
    // Three of seven a second, with four in hand that are half done, take more than 300 ms.
    const three = { now, sent: 4, workers: 4, usual: 100, backlog: 0, inBacklog: 0, queued: 3 };
    expect(overload.longestStay(now)).toBe(LONGEST);
    expect(overload.refuses(three)).toBeNull();
    expect(overload.refuses({ ...three, queued: 4 })).toBeGreaterThan(0);
  });

  it('where nobody waits', () => {
    expect(overloaded(2).refuses({ ...eight, queued: 0 })).toBeNull();
  });
});

describe('one more is sent at once', () => {
  const ask = { now, queued: 0, usual: 1_000, backlog: 0, inBacklog: 0 };

  it('unless the last three took longer than clients stay', () => {
    const late = overloaded(8, 1_700);
    expect(late.refusesToSend({ ...ask, sent: 4, workers: 4 })).toBe(100);
    late.served(9_010, 1_500, 1_500);
    expect(late.refusesToSend({ ...ask, sent: 4, workers: 4 })).toBeNull();
    for (const at of [9_020, 9_030]) late.served(at, 1_700, 1_700);
    expect(late.refusesToSend({ ...ask, sent: 4, workers: 4 })).toBeNull();
    late.served(9_040, 1_700, 1_700);
    expect(late.refusesToSend({ ...ask, sent: 4, workers: 4 })).toBe(100);
  });

  it('where a worker that has been seen is free', () => {
    expect(overloaded(8, 1_700).refusesToSend({ ...ask, sent: 3, workers: 4 })).toBeNull();
  });

  it('where it takes exactly as long as it may', () => {
    expect(overloaded(8, LONGEST).refusesToSend({ ...ask, sent: 4, workers: 4 })).toBeNull();
  });
});

describe('a pool', () => {
  const servers = [{ name: 'a', busy: 4, workers: 4, backlog: NONE }];
  const waiting = { queuedAt: 7_000, connection: {}, exchange: { bytesReceived: 0 } };

  /** What `tooLate` says after eleven such clients have left. */
  function answer(left: object): ReturnType<Admission['tooLate']> {
    const admission = new Admission(1_000);
    admission.emptied('', [{ name: 'a', busy: 0, workers: 4, backlog: NONE }], 1_000);
    admission.served('', 2_000, 1_000);
    for (let i = 0; i < 3; i++) admission.served('', 8_900, 1_700, -1);
    for (let i = 0; i < 11; i++) admission.left('', { ...waiting, ...left }, now);
    const refused = admission.tooLate('', servers, 'fpm', now);
    expect(admission.refused).toBe(refused === null ? 0 : 1);
    return refused;
  }

  it('refuses what would be too late, says why, and counts it', () => {
    expect(answer({})).toMatchObject({
      code: 'FCGI_ERR_QUEUE_OVERLOAD',
      message: '4 requests have been sent to fpm, and it answers so late that most clients leave before',
      retryAfter: 1,
    });
  });

  it('learns nothing from those who leave in the middle of an answer, or while they wait in its queue', () => {
    expect(answer({ exchange: { bytesReceived: 1 } })).toBeNull();
    expect(answer({ connection: null, exchange: null })).toBeNull();
  });

  it('counts what it would wait in the backlog of the server, the shortest where there are several', () => {
    const admission = new Admission(1_000);
    admission.served('', 2_000, 1_000);
    for (let i = 0; i < 11; i++) admission.left('', waiting, now);
    const a = (wait: number) => ({ name: 'a', busy: 4, workers: 4, backlog: { ...NONE, wait } });
    // 1.6 s, and its page takes one of them.
    const isLate = (...waits: number[]) => admission.tooLate('', waits.map(a), 'fpm', now) !== null;
    expect([isLate(600), isLate(601)]).toEqual([false, true]);
    expect([isLate(601, 600), isLate(601, 601)]).toEqual([false, true]);
  });

  it('refuses nobody while no server is known: its name is being looked up', () => {
    const admission = new Admission(1_000);
    admission.served('', 2_000, 1_000);
    for (let i = 0; i < 11; i++) admission.left('', waiting, now);
    expect(admission.tooLate('', [], 'fpm', now)).toBeNull();
  });

  it('asks of each server by itself for those who have asked for a certain one', () => {
    const admission = new Admission(1_000);
    admission.arrived('a', 1_000);
    admission.served('a', 2_000, 1_000);
    for (let i = 0; i < 3; i++) admission.served('a', 8_900, 1_700, -1);
    for (let i = 0; i < 11; i++) admission.left('a', waiting, now);
    expect(admission.tooLate('a', servers, 'both', now)?.message).toMatch(
      /^4 requests have been sent to a, /,
    );
    expect(admission.tooLate('', servers, 'both', now)).toBeNull();
  });
});

describe('a request whose worker has come', () => {
  it('is sent if its page will be there before most clients leave', () => {
    const overload = overloaded(8);
    expect(overload.isTooOld(now, LONGEST - 1_000)).toBeNull();
    expect(overload.isTooOld(now, LONGEST - 999)).toBe(1);
  });

  it('in any case if it has waited for nobody: what pages take now is known of those alone that are sent', () => {
    const overload = overloaded(8, LONGEST + 1);
    expect(overload.isTooOld(now, BURST)).toBeNull();
    expect(overload.isTooOld(now, BURST + 1)).toBe(BURST + 2);
  });

  it('however old it is where it is not known how long clients stay', () => {
    const overload = new Overload();
    overload.served(1_000, 1_000);
    expect(overload.isTooOld(now, 60_000)).toBeNull();
  });

  it('what waits in the backlog counts before it is sent', () => {
    const overload = overloaded(8);
    const ask = { now, queued: 0, sent: 8, workers: 8, usual: 1_000, inBacklog: 0 };
    expect(overload.refusesToSend({ ...ask, backlog: LONGEST - 1_000 })).toBeNull();
    expect(overload.refusesToSend({ ...ask, backlog: LONGEST - 999 })).toBe(1);
  });
});
