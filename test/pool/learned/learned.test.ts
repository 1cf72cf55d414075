/** Which event teaches which rule: the rules themselves have tests of their own. */
import { describe, expect, it, vi } from 'vitest';
import { Clock } from '../../../src/connection/clock.ts';
import type { Connection } from '../../../src/connection/connection.ts';
import { Exchange } from '../../../src/connection/exchange.ts';
import type { CloseReason } from '../../../src/connection/reuse.ts';
import { ConnectError } from '../../../src/errors.ts';
import { Answers } from '../../../src/pool/learned/background-work.ts';
import { BodyReading } from '../../../src/pool/learned/body-reading.ts';
import { Learned } from '../../../src/pool/learned/learned.ts';
import { type PoolOptions, resolveOptions } from '../../../src/pool/options.ts';
import { nobody } from '../../connection/support.ts';
import { Loop, VirtualTime } from '../../sim/time.ts';

interface Setup {
  readonly learned: Learned;
  readonly time: VirtualTime;
  readonly clock: Clock;
}

/** How PHP-FPM answers FCGI_GET_VALUES. */
const phpFpm = new Map([['FCGI_MPXS_CONNS', '0']]);

function setUp(options: PoolOptions = {}, random = 0, queued = 0): Setup {
  const time = new VirtualTime();
  const clock = new Clock(time.timersOf(new Loop()));
  clock.start(() => {});
  const learned = new Learned(resolveOptions(options), clock, () => random, {
    bodyReading: new BodyReading(),
    answers: new Answers(),
    queued,
  });
  return { learned, time, clock };
}

/** A request, the `requests`th of its connection from 0. */
function request(script = '/a.php', requests = 0, before: string | null = null): Exchange {
  const exchange = new Exchange(nobody, 1, true, true, 0, 0);
  exchange.script = script;
  exchange.begin(requests, before, 0, 0);
  return exchange;
}

/** Sent on a fresh connection, with so many open. */
function sent({ learned }: Setup, open: number): Exchange {
  const exchange = request();
  learned.sent(exchange, true, open);
  return exchange;
}

function connection(requests: number, answered: number, proven = true): Connection {
  return { requests, answered, proven, server: { endpoint: '' }, idle: { settled: false } } as Connection;
}

/** A connection as its first byte comes; and one that had its worker before, since the first ms. */
const FRESH = { proven: false, openedAt: 0, heldSince: 0, requests: 1 };
const KEPT = { proven: true, openedAt: 0, heldSince: 1, requests: 2 };

describe('a first byte', () => {
  it.each([
    ['the first one, where it is not known what a page takes', null, 0],
    ['a new one that came as soon as a page takes', 30, 20],
    ['one that came later: it has waited', 5, 45],
    ['one that came sooner', 80, 0],
  ])('tells since when a worker has its connection: %s', (_, page, since) => {
    const { learned } = setUp();
    const answer = (after: number, held: typeof FRESH): number => {
      const exchange = request();
      exchange.firstByteAfter = after;
      learned.sent(exchange, !held.proven, 1);
      return learned.firstByte(exchange, held);
    };
    if (page !== null) answer(page, KEPT);
    expect(answer(50, FRESH)).toBe(since);
    expect(answer(70, { ...KEPT, heldSince: 33 })).toBe(33);
  });

  it('on connections that no worker was known to have: there are as many workers', () => {
    const pool = setUp();
    const [a, b, c] = [sent(pool, 1), sent(pool, 2), sent(pool, 3)];
    for (const each of [a, b, c]) pool.learned.firstByte(each, FRESH);
    expect(pool.learned.workers.found).toBe(3);
  });

  it('on a connection that a worker was known to have adds none', () => {
    const pool = setUp();
    pool.learned.firstByte(sent(pool, 1), FRESH);
    pool.learned.firstByte(request('/a.php', 1, '/a.php'), KEPT);
    expect(pool.learned.workers.found).toBe(1);
  });

  it.each([
    [0, 0],
    [1, 1],
  ])('as request %i of its connection: %i times told that connections stay open', (requests, times) => {
    const { learned } = setUp();
    const onStayedOpen = vi.spyOn(learned.backend, 'onStayedOpen');
    learned.firstByte(request('/a.php', requests, '/a.php'), KEPT);
    expect(onStayedOpen).toHaveBeenCalledTimes(times);
  });

  it.each([
    [99, 1],
    [100, 0],
  ])(
    '%i ms after it was sent on a new connection: %i times told that nothing waits in the backlog',
    (after, times) => {
      const { learned } = setUp();
      const answeredSoon = vi.spyOn(learned.backlog, 'answeredSoon');
      const exchange = request();
      exchange.firstByteAfter = after;
      learned.firstByte(exchange, FRESH);
      expect(answeredSoon).toHaveBeenCalledTimes(times);
    },
  );

  it('just behind the end of input, after 5 s: PHP-FPM never waits for that, so it must show anew that it is one', () => {
    const { learned } = setUp();
    learned.backend.onValues(phpFpm);
    const late = request();
    late.terminatorAfter = 5_000;
    late.firstByteAfter = 5_001;
    learned.firstByte(late, KEPT);
    expect(learned.backend.isPhpFpm).toBe(null);
    learned.backend.onValues(phpFpm);
    expect(learned.backend.isPhpFpm).toBe(true);
  });

  it('teaches how long a script takes', () => {
    const { learned } = setUp();
    const answered = request('/slow.php');
    answered.firstByteAfter = 400;
    learned.firstByte(answered, KEPT);
    expect(learned.budget('/slow.php')).toBeGreaterThan(learned.backgroundWork.budget('/other.php'));
  });
});

describe('one more is open than workers have been seen', () => {
  /** The only connection has been answered. */
  function answered(): Setup {
    const pool = setUp();
    pool.learned.firstByte(sent(pool, 1), FRESH);
    return pool;
  }

  it('where there are more than have run at once', () => {
    const { learned } = answered();
    expect([learned.isOneMore(1), learned.isOneMore(2)]).toEqual([false, true]);
  });

  it('not before the first answer', () => {
    const pool = setUp();
    sent(pool, 1);
    expect(pool.learned.isOneMore(2)).toBe(false);
  });

  it('not once no connection is left: another server may be there', () => {
    const pool = answered();
    pool.learned.closed(connection(1, 1), 'keepalive-timeout');
    expect(pool.learned.isOneMore(2)).toBe(false);
    sent(pool, 1);
    expect(pool.learned.isOneMore(2)).toBe(false);
  });

  it('but while one has waited without a gap, asked or not, it is the same server', () => {
    for (const ask of [true, false]) {
      const pool = answered();
      const waiting = request();
      if (ask) pool.learned.asked(waiting, 2);
      else pool.learned.sent(waiting, true, 2);
      pool.learned.closed(connection(1, 1), 'keepalive-time');
      sent(pool, 2);
      expect(pool.learned.isOneMore(3)).toBe(true);
    }
  });

  it('as soon as one that has waited has its worker, or is answered', () => {
    for (const isAsked of [true, false]) {
      const pool = setUp();
      const [first, second] = [sent(pool, 1), request()];
      pool.learned.asked(second, 2);
      const late = sent(pool, 3);
      if (isAsked) pool.learned.accepted(second, 0);
      else pool.learned.firstByte(first, FRESH);
      pool.learned.closed(connection(1, 1), 'keepalive-time');
      pool.learned.ended(isAsked ? first : second);
      expect([pool.learned.workers.waiting > 0, pool.learned.isOneMore(9)]).toEqual([true, true]);
      pool.learned.ended(late);
    }
  });
});

describe('a worker that has a connection', () => {
  it('before its request is sent, is found', () => {
    const pool = setUp();
    const waiting = request();
    pool.learned.asked(waiting, 1);
    expect(pool.learned.workers.waiting).toBe(1);
    pool.learned.accepted(waiting, 0);
    expect(pool.learned.workers).toMatchObject({ waiting: 0, found: 1 });
  });

  it('and is gone with it: the next one is not one more', () => {
    const pool = setUp();
    for (let nth = 0; nth < 3; nth++) {
      const exchange = sent(pool, 1);
      pool.learned.firstByte(exchange, FRESH);
      pool.learned.closed(connection(1, 1), 'keepalive-time');
    }
    expect(pool.learned.workers.found).toBe(1);
  });

  it('where none had it, none is gone', () => {
    const pool = setUp();
    pool.learned.firstByte(sent(pool, 1), FRESH);
    pool.learned.closed(connection(1, 0, false), 'failed');
    pool.learned.firstByte(sent(pool, 2), FRESH);
    expect(pool.learned.workers.found).toBe(2);
  });
});

describe('a connection closed', () => {
  it.each<[string, number, number, boolean]>([
    ['idle', 3, 3, true],
    ['with a request on it', 3, 2, false],
    ['before any', 0, 0, false],
  ])('%s: its worker was given back: %#', (_, requests, answered, isGivenBack) => {
    const { learned } = setUp();
    const givenBack = vi.spyOn(learned.keepaliveTimes, 'givenBack');
    learned.closed(connection(requests, answered), 'keepalive-time');
    expect(givenBack).toHaveBeenCalledTimes(isGivenBack ? 1 : 0);
  });

  it.each<[CloseReason, number, number, boolean]>([
    ['server-closed', 2, 2, true],
    ['recycled', 3, 2, true],
    ['reset', 2, 2, true],
    // That may be the script's death.
    ['reset', 3, 2, false],
    ['keepalive-time', 2, 2, false],
    ['failed', 3, 2, false],
    ['timeout', 3, 2, false],
  ])('as %s, request %i sent and %i answered: by the server is %s', (reason, requests, answered, isTold) => {
    const { learned } = setUp();
    const onServerClosed = vi.spyOn(learned.backend, 'onServerClosed');
    learned.closed(connection(requests, answered), reason);
    expect(onServerClosed.mock.calls).toEqual(isTold ? [[answered]] : []);
  });
});

it('a server that is taken for another, and ends its answers as PHP-FPM does, is asked all the same', () => {
  const { learned } = setUp();
  expect(learned.isQueryDue).toBe(true);
  learned.backend.onIdsMixed();
  learned.backend.onStreams(false);
  expect([learned.backend.isPhpFpm, learned.isQueryDue]).toEqual([false, true]);
});

describe('another server may stand at the address', () => {
  /** The names of the server before and behind `between`. */
  function namesOf(isTcp: boolean, between: (pool: Setup) => void): string[] {
    const pool = setUp();
    const before = pool.learned.connected('a', isTcp);
    pool.learned.opened(isTcp ? 1 : null);
    pool.learned.backend.onDetected({ values: phpFpm, isDirect: true, answeredAfter: 0 }, 0);
    between(pool);
    return [before, pool.learned.connected('a', isTcp)];
  }
  const refused = (code: string) => (pool: Setup) =>
    pool.learned.refused(
      new ConnectError('FCGI_ERR_CONNECT', '', { cause: Object.assign(new Error(''), { code }) }),
    );
  const dies = ({ learned }: Setup): void => learned.closed(connection(1, 0), 'failed');

  it.each<[string, boolean, (pool: Setup) => void, string]>([
    ['not while a connection to it is open', true, () => {}, 'a'],
    ['where nobody listened', true, refused('ECONNREFUSED'), 'a (1)'],
    [
      'where its name was not there, as that of a container that restarts',
      true,
      refused('ENOTFOUND'),
      'a (1)',
    ],
    ['not where a connect failed for another reason', true, refused('EACCES'), 'a'],
    ['not where its last worker has died a moment ago: it was seen then', true, dies, 'a'],
    ['not by a unix socket, of which its file tells', false, refused('ECONNREFUSED'), 'a'],
  ])('%s', (_, isTcp, between, name) => {
    expect(namesOf(isTcp, between)).toEqual(['a', name]);
  });
});

it.each([
  ['over tcp', 20, 20],
  ['on a unix socket, where nobody has to wait for it', null, 0],
])('what a connect takes is learned %s', (_, roundTrip, connect) => {
  const { learned } = setUp();
  learned.opened(roundTrip);
  expect(learned.keepaliveTimes.connect).toBe(connect);
});

describe('must a connection go whose response is whole?', () => {
  it('not while nobody waits; then for whom it has overtaken', () => {
    const pool = setUp();
    const { learned } = pool;
    const kept = request('/a.php', 1, '/a.php');
    learned.workers.sent(kept, false, 1);
    expect(learned.mustYield(kept)).toBe(false);
    const waiting = sent(pool, 2);
    // Sent before the one that waits: that is no sign.
    expect(learned.mustYield(kept)).toBe(false);
    const overtakes = (): boolean => {
      learned.workers.sent(kept, false, 2);
      return learned.mustYield(kept);
    };
    expect([overtakes(), overtakes()]).toEqual([false, true]);
    learned.ended(waiting);
    expect(learned.mustYield(kept)).toBe(false);
  });

  it('once each connection that has a worker has been served twice over', () => {
    const pool = setUp();
    const { learned } = pool;
    for (const open of [1, 2]) learned.firstByte(sent(pool, open), FRESH);
    sent(pool, 2);
    const verdicts = Array.from({ length: 4 }, () => {
      const kept = request('/a.php', 1, '/a.php');
      learned.workers.sent(kept, false, 2);
      return learned.mustYield(kept);
    });
    expect(verdicts).toEqual([false, false, false, true]);
  });
});

describe('an idle connection is given up', () => {
  it('5 ms later, once, for as many as wait then', async () => {
    const pool = setUp();
    const closed: number[] = [];
    sent(pool, 1);
    for (let i = 0; i < 3; i++) pool.learned.yieldSoon((count) => closed.push(count));
    sent(pool, 2);
    await pool.time.run(4);
    expect(closed).toEqual([]);
    await pool.time.run(30);
    expect(closed).toEqual([2]);
    pool.learned.yieldSoon((count) => closed.push(count));
    await pool.time.run(60);
    expect(closed).toEqual([2, 2]);
  });

  it('not where nobody waits, nor for one that is no more than have run at once', async () => {
    const pool = setUp();
    const closed: number[] = [];
    pool.learned.yieldSoon((count) => closed.push(count));
    pool.learned.firstByte(sent(pool, 1), FRESH);
    sent(pool, 1);
    pool.learned.yieldSoon((count) => closed.push(count));
    await pool.time.run(30);
    expect(closed).toEqual([]);
  });
});

describe('a connection is idle', () => {
  /** How often `close` was called, in each ms; it says so often that some are left. */
  async function looks(pool: Setup, left: number, calls = 1): Promise<number[]> {
    const at: number[] = [];
    const since = pool.time.now;
    const close = (): boolean => {
      at.push(pool.time.now - since);
      return at.length <= left;
    };
    for (let i = 0; i < calls; i++) pool.learned.freeSoon(close);
    await pool.time.run(since + 50);
    return at;
  }

  /** One of its connections waits so long for its worker. */
  async function waits(pool: Setup, wait: number): Promise<void> {
    const exchange = request();
    pool.learned.asked(exchange, 1);
    await pool.time.run(pool.time.now + wait);
    pool.learned.accepted(exchange, 0);
  }

  it('where one of ours has waited for a worker it is looked at each ms, until none is left', async () => {
    const pool = setUp();
    await waits(pool, 20);
    expect(await looks(pool, 2, 3)).toEqual([1, 2, 3]);
    expect(await looks(pool, 0)).toEqual([1]);
  });

  it('less often where a connect takes long', async () => {
    const pool = setUp();
    pool.learned.keepaliveTimes.connected(20);
    await waits(pool, 60);
    expect(await looks(pool, 1)).toEqual([10, 20]);
  });

  it('not where none has waited for long, nor where its time is said by an option', async () => {
    const quick = setUp();
    await waits(quick, 0.9);
    expect(await looks(quick, 1)).toEqual([]);
    const far = setUp();
    far.learned.keepaliveTimes.connected(20);
    await waits(far, 59);
    expect(await looks(far, 1)).toEqual([]);
    const told = setUp({ keepaliveTimeout: 1_000 });
    await waits(told, 20);
    expect(await looks(told, 1)).toEqual([]);
  });

  it('not where more requests wait here for a connection: their own', async () => {
    const full = setUp({}, 0, 1);
    await waits(full, 20);
    expect(await looks(full, 1)).toEqual([]);
  });

  /** May a new connection be kept that is opened so long after the end of a request? */
  async function keepsAfter(pool: Setup, pause: number): Promise<boolean> {
    pool.learned.ended(request());
    await pool.time.run(pool.time.now + pause);
    return pool.learned.keepsNew;
  }

  it('where one of ours has waited, a new one is kept if the next request is likely to come before it would be closed', async () => {
    const pool = setUp();
    expect([await keepsAfter(pool, 0), await keepsAfter(pool, 100)]).toEqual([true, true]);
    await waits(pool, 20);
    pool.learned.backend.onValues(phpFpm);
    expect([await keepsAfter(pool, 1.9), await keepsAfter(pool, 2)]).toEqual([true, false]);
    pool.learned.keepaliveTimes.connected(20);
    expect([await keepsAfter(pool, 19), await keepsAfter(pool, 20)]).toEqual([true, false]);
  });

  it('it is kept as well where the server is still to be asked what it is, and where its time is said by an option', async () => {
    const unknown = setUp();
    await waits(unknown, 20);
    expect(await keepsAfter(unknown, 100)).toBe(true);
    const told = setUp({ keepaliveTimeout: 1_000 });
    await waits(told, 20);
    told.learned.backend.onValues(phpFpm);
    expect(await keepsAfter(told, 100)).toBe(true);
  });
});

it('new connections that are answered late beside others show that others need workers, kept ones do not', () => {
  const needs = (isProven: boolean, connect: number, late: number, queued = 0): boolean => {
    const { learned, clock } = setUp({}, 0, queued);
    learned.keepaliveTimes.connected(connect);
    for (const after of [2, late, late, late]) {
      const exchange = request();
      exchange.firstByteAfter = after;
      learned.firstByte(exchange, isProven ? KEPT : FRESH);
    }
    return learned.neighbours.needWorkers(clock);
  };
  expect([needs(false, 0, 30), needs(true, 0, 30), needs(false, 2, 30)]).toEqual([true, false, false]);
  expect(needs(false, 0, 30, 1)).toBe(false);
});

it('new connections that are all answered late show it as well, where kept ones are not', () => {
  const { learned, clock } = setUp();
  const answered = (after: number, isProven: boolean): void => {
    const exchange = request();
    exchange.firstByteAfter = after;
    learned.firstByte(exchange, isProven ? KEPT : FRESH);
  };
  for (let i = 0; i < 3; i++) answered(30, false);
  expect(learned.neighbours.needWorkers(clock)).toBe(false);
  answered(2, true);
  answered(30, false);
  expect(learned.neighbours.needWorkers(clock)).toBe(true);
});

describe('a busy process sees that another one has a worker', () => {
  /** Two have run at once, one of them has gone. Then a fresh one waits for 50 ms, and the other one is served so often meanwhile. */
  async function overtaken(times: number, isAsked: boolean, queued = 0): Promise<boolean> {
    const pool = setUp({}, 0, queued);
    const { learned, time, clock } = pool;
    const answer = (exchange: Exchange, after: number, isProven: boolean): void => {
      exchange.firstByteAfter = after;
      learned.firstByte(exchange, isProven ? KEPT : FRESH);
      learned.mustYield(exchange);
      learned.ended(exchange);
    };
    for (const exchange of [sent(pool, 1), sent(pool, 2)]) answer(exchange, 0.5, false);
    learned.closed(connection(1, 1), 'keepalive-time');
    const kept = (): void => {
      const exchange = request('/a.php', 1);
      learned.sent(exchange, false, 2);
      answer(exchange, 0.5, true);
    };
    // So many in so short a time: it is busy.
    for (let i = 0; i < 128; i++) kept();
    const waits = request();
    if (isAsked) learned.asked(waits, 2);
    else learned.sent(waits, true, 2);
    for (let i = 0; i < times; i++) kept();
    await time.run(time.now + 50);
    waits.firstByteAfter = 50;
    if (isAsked) learned.accepted(waits, 0);
    else learned.firstByte(waits, FRESH);
    return learned.neighbours.needWorkers(clock);
  }

  it.each([false, true])(
    'by what overtakes a fresh connection (asked for its worker: %s)',
    async (isAsked) => {
      expect([await overtaken(1, isAsked), await overtaken(2, isAsked)]).toEqual([false, true]);
    },
  );

  it('also where more requests wait here: those that are kept are overtaken by none', async () => {
    expect([await overtaken(2, false, 1), await overtaken(2, true, 1)]).toEqual([true, true]);
  });
});

describe('a response that does not begin', () => {
  /** Its script takes 10 ms, as a rule. */
  function silentFor(waited: number, exchange: Exchange): { isOverdue: boolean; isSuspected: boolean } {
    const { learned } = setUp();
    for (let i = 0; i < 3; i++) {
      const quick = request('/quick.php');
      quick.firstByteAfter = 10;
      learned.firstByte(quick, KEPT);
    }
    for (let i = 0; i < 2; i++) learned.backgroundWork.workerReturned('/before.php', 0, 0, 0);
    learned.silent(exchange, waited);
    return { isOverdue: exchange.overdue, isSuspected: learned.backgroundWork.mustCheck('/before.php') };
  }

  it.each([
    ['far longer than its script takes', 1_000, -1, true],
    ['no longer than that', 100, -1, false],
    ['but has begun', 1_000, 5, false],
    ['but has begun at once', 1_000, 0, false],
  ])('%s: the script before is suspected: %#', (_, waited, firstByteAfter, isSuspected) => {
    const exchange = request('/quick.php', 1, '/before.php');
    exchange.firstByteAfter = firstByteAfter;
    expect(silentFor(waited, exchange)).toEqual({ isOverdue: isSuspected, isSuspected });
  });

  it('and is the first of its connection: there is nobody to suspect', () => {
    expect(silentFor(1_000, request('/quick.php'))).toEqual({ isOverdue: false, isSuspected: false });
  });

  it('is silent from when its request was sent', () => {
    const exchange = request('/quick.php', 1, '/before.php');
    exchange.startedAt = 5_000;
    expect(silentFor(5_600, exchange)).toEqual({ isOverdue: false, isSuspected: false });
    expect(silentFor(5_601, exchange)).toEqual({ isOverdue: true, isSuspected: true });
  });

  it('is said once', () => {
    const exchange = request('/quick.php', 1, '/before.php');
    exchange.overdue = true;
    expect(silentFor(1_000, exchange)).toEqual({ isOverdue: true, isSuspected: false });
  });
});

describe('what is asked of it', () => {
  it.each([
    [0, 1_000],
    [0.5, 950],
    [0.999, 901],
  ])('at a chance of %d a connection carries %i of 1,000 requests', (random, requests) => {
    expect(setUp({}, random).learned.keepaliveRequests()).toBe(requests);
  });

  it('what the server is, as long as that is not known', () => {
    expect(setUp().learned.isQueryDue).toBe(true);
    expect(setUp({ backend: 'php-fpm' }).learned.isQueryDue).toBe(false);
    const asked = setUp();
    expect(asked.learned.backend.afterResponse(1, 0, false)).toBe('ask');
    expect(asked.learned.isQueryDue).toBe(false);
  });

  it('when the end of input goes out by itself: later where it is PHP-FPM', () => {
    const delay = (options: PoolOptions): number =>
      setUp({ terminatorDelay: 40, ...options }).learned.terminatorDelay(request());
    expect(delay({})).toBe(40);
    expect(delay({ backend: 'php-fpm' })).toBe(55_000);
    expect(delay({ backend: 'generic' })).toBe(40);
  });

  it('nor sooner while that is doubted: where it is one, a page that takes seconds would weaken what all others can prove', () => {
    const { learned } = setUp({ terminatorDelay: 40 });
    learned.backend.onValues(phpFpm);
    learned.backend.onDoubted();
    expect(learned.terminatorDelay(request())).toBe(55_000);
    learned.backend.onDetected({ values: null, isDirect: null, answeredAfter: 0 }, 0);
    expect(learned.terminatorDelay(request())).toBe(40);
  });
});
