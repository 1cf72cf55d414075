import { describe, expect, it } from 'vitest';
import { ConnectError, type FcgiError, SocketError, TimeoutError } from '../../../src/errors.ts';
import { Admission, heldBackOf } from '../../../src/pool/queue/admission.ts';

const NONE = { size: 0, wait: 0, behindOthers: 0 };

type Load = Parameters<Admission['onTick']>[0][number];

/** Eight were sent at once 206 ms ago, `answered` of them have just been, and one of their clients asks behind 15 others. */
function askedAgain(answered: number): string {
  const admission = new Admission(1_000);
  admission.emptied('', [{ name: 'a', busy: 0, workers: 0, backlog: NONE }], 1_000);
  for (let i = 0; i < 24; i++) admission.arrived('', 1_001);
  for (let i = 0; i < answered; i++) admission.served('', 1_206, 205);
  admission.arrived('', 1_206);
  return (
    admission.refusal(
      '',
      [{ name: 'a', busy: 8, workers: 1, backlog: NONE }],
      { all: 15, before: 15 },
      'fpm',
      1_206,
    )?.code ?? 'let in'
  );
}

it('while the first requests of a pool run, the rest of them is taken to run as well', () => {
  expect(askedAgain(1)).toBe('let in');
  expect(askedAgain(7)).toBe('let in');
});

it.each<[string, FcgiError, boolean]>([
  [
    'a worker that dies with its request',
    new SocketError('FCGI_ERR_SOCKET_CLOSED', '').learn({ executed: 'unknown' }),
    true,
  ],
  [
    'a request that no worker has had',
    new SocketError('FCGI_ERR_SOCKET_RESET', '').learn({ executed: 'no' }),
    false,
  ],
  [
    'one that is too late, and whose script may run on',
    new TimeoutError('FCGI_ERR_HEADERS_TIMEOUT', '').learn({ executed: 'unknown' }),
    false,
  ],
])('%s shows the pace, as an answer does: %#', (_, error, shows) => {
  const admission = new Admission(1_000);
  for (let now = 20; now < 3_000; now += 20) {
    admission.failed('', error, now);
    admission.arrived('', now);
  }
  const servers = [{ name: 'a', busy: 8, workers: 4, backlog: NONE }];
  const refused = admission.refusal('', servers, { all: 40, before: 40 }, 'fpm', 3_000);
  expect(refused === null).toBe(shows);
});

describe('a new queue begins', () => {
  /** More than is answered, for three seconds, with 40 that wait. */
  const refused = (servers: Load[]): boolean => {
    const admission = new Admission(1_000);
    for (let now = 0; now < 3_000; now += 20) {
      admission.served('', now, 0);
      admission.arrived('', now);
      admission.arrived('', now);
    }
    admission.emptied('', servers, 2_990);
    return (
      admission.refusal(
        '',
        [{ name: 'a', busy: 8, workers: 4, backlog: NONE }],
        { all: 40, before: 40 },
        'fpm',
        3_000,
      ) !== null
    );
  };

  it('where a worker was idle', () => {
    expect(refused([{ name: 'a', busy: 3, workers: 4, backlog: NONE }])).toBe(false);
    expect(
      refused([
        { name: 'a', busy: 4, workers: 4, backlog: NONE },
        { name: 'a', busy: 0, workers: 0, backlog: NONE },
      ]),
    ).toBe(false);
  });

  it('not where new connections wait for a worker: others have them', () => {
    const busy = (backlog: Load['backlog']): Load => ({ name: 'a', busy: 3, workers: 4, backlog });
    expect(refused([busy({ ...NONE, behindOthers: 150 })])).toBe(false);
    expect(refused([busy({ ...NONE, size: 1 })])).toBe(true);
    expect(refused([busy({ ...NONE, behindOthers: 151 })])).toBe(true);
  });

  it('of a queue no longer than there are workers nobody is refused; of them count those that are ours while others have the rest', () => {
    const admission = new Admission(1_000);
    for (let now = 0; now < 3_000; now += 250) {
      admission.served('', now, 200);
      for (let i = 0; i < 3; i++) admission.arrived('', now);
    }
    const refuses = (size: number, busy = 2, before = 6): boolean => {
      const servers = [{ name: 'a', busy, workers: 8, backlog: { ...NONE, size } }];
      return admission.refusal('', servers, { all: before, before }, 'fpm', 3_000) !== null;
    };
    expect([refuses(0), refuses(1)]).toEqual([false, true]);
    // Of five one waits as well as those in the queue, and four run.
    expect([refuses(1, 5, 2), refuses(1, 5, 4)]).toEqual([false, true]);
  });

  it('as soon as one is sent, where nothing was: all have waited for a server, as its name was looked up', () => {
    const admission = new Admission(1_000);
    const [none, sent] = [[], [{ name: 'a', busy: 4, workers: 1, backlog: NONE }]];
    const before = { all: 7, before: 7 };
    for (let i = 0; i < 12; i++) admission.arrived('', 0);
    expect(admission.refusal('', none, before, 'fpm', 0)).toBe(null);
    admission.sends([{ name: 'a', busy: 0, workers: 0, backlog: NONE }], 400);
    admission.served('', 405, 5, 405);
    admission.arrived('', 405);
    expect(admission.refusal('', sent, before, 'fpm', 405)).toBe(null);
  });

  it('not as one of them is sent while others are', () => {
    const servers = [
      { name: 'a', busy: 0, workers: 4, backlog: NONE },
      { name: 'b', busy: 4, workers: 4, backlog: NONE },
    ];
    const admission = new Admission(1_000);
    for (let now = 0; now < 3_000; now += 20) {
      admission.served('', now, 0);
      for (let i = 0; i < 2; i++) admission.arrived('', now);
    }
    admission.sends(servers, 2_990);
    const waits = {
      name: 'a',
      busy: 0,
      workers: 4,
      backlog: { ...NONE, behindOthers: 151 },
    };
    admission.sends([waits], 2_990);
    expect(admission.refusal('', servers, { all: 40, before: 40 }, 'fpm', 3_000)).not.toBe(null);
  });

  it('not where all workers were busy, and one more waited for them', () => {
    expect(refused([{ name: 'a', busy: 4, workers: 4, backlog: NONE }])).toBe(true);
    expect(refused([{ name: 'a', busy: 1, workers: 0, backlog: NONE }])).toBe(true);
  });
});

it('the workers of all servers count: where fewer wait than there are, nobody is refused', () => {
  const admission = new Admission(1_000);
  for (let now = 0; now < 5_000; now += 200) {
    admission.served('', now, 0);
    for (let i = 0; i < 3; i++) admission.arrived('', now);
  }
  const servers = [
    { name: 'a', busy: 4, workers: 4, backlog: NONE },
    { name: 'a', busy: 4, workers: 4, backlog: NONE },
  ];
  expect(admission.refusal('', servers, { all: 7, before: 7 }, 'fpm', 5_000)).toBeNull();
  const soon = admission.refusal('', servers, { all: 8, before: 8 }, 'fpm', 5_000);
  expect(soon).toMatchObject({ code: 'FCGI_ERR_QUEUE_OVERLOAD', retryAfter: 1 });
  // 5 a second are answered, so 100 take some 10 to 20 seconds.
  const late = admission.refusal('', servers, { all: 100, before: 100 }, 'fpm', 5_000)?.retryAfter;
  expect(late).toBeGreaterThanOrEqual(8);
  expect(late).toBeLessThanOrEqual(20);
});

it.each([
  [null, 'more is asked than php-fpm can do'],
  // pages that call their own site, as many as there are workers: each waits for a worker that another has
  [null, 'one that calls its own site may wait for this queue'],
  ['php-fpm is down', 'php-fpm is down'],
])(
  'where nobody can connect (%s), that is what is said of it, and not that too much is asked',
  (down, said) => {
    const admission = new Admission(1_000);
    admission.emptied('', [{ name: 'a', busy: 0, workers: 0, backlog: NONE }], 0);
    const why =
      down === null ? null : new ConnectError('FCGI_ERR_CONNECT', 'refused', { facts: { hint: down } });
    const servers = [{ name: 'a', busy: 8, workers: 0, backlog: NONE }];
    const refused = admission.refusal('', servers, { all: 24, before: 24 }, 'fpm', 2_500, why);
    expect(refused).toMatchObject({ code: 'FCGI_ERR_QUEUE_OVERLOAD', hint: expect.stringContaining(said) });
  },
);

it('one more is not sent where more waits for workers than is answered in time, and is told so', () => {
  const admission = new Admission(1_000);
  admission.emptied('', [{ name: 'a', busy: 0, workers: 1, backlog: NONE }], 1_000);
  for (let now = 1_010; now <= 2_000; now += 10) {
    admission.served('', now, 10);
    for (let i = 0; i < 2; i++) admission.arrived('', now);
  }
  const isSent = (size: number): string =>
    admission.tooLate('', [{ name: 'a', busy: 40, workers: 11, backlog: { ...NONE, size } }], 'fpm', 2_000)
      ?.message ?? 'sent';
  expect(isSent(29)).toBe('sent');
  expect(admission.refused).toBe(0);
  expect(isSent(39)).toBe('40 requests have been sent to fpm, more than it answers in time');
  expect(admission.refused).toBe(1);
});

it('says how many were refused, and when the queue is simply full', () => {
  const admission = new Admission(2);
  const server = { name: 'a', busy: 1, workers: 1, backlog: NONE };
  for (let i = 0; i < 2; i++)
    expect(admission.refusal('', [server], { all: 1, before: 1 }, 'fpm', 1_000)).toBeNull();
  expect(admission.refusal('', [server], { all: 2, before: 2 }, 'fpm', 1_000)).toMatchObject({
    code: 'FCGI_ERR_QUEUE_FULL',
    retryAfter: 1,
  });
  expect(admission.refused).toBe(1);
});

describe('those who have asked for a certain server', () => {
  const servers = [
    { name: 'hung', busy: 8, workers: 8, backlog: NONE },
    { name: 'well', busy: 8, workers: 8, backlog: NONE },
  ];

  /** 100 who wait for one that has answered none of them for five seconds, while the other one answers all that any may have. */
  function oneHangs(): Admission {
    const admission = new Admission(1_000);
    for (let now = 0; now < 5_000; now += 50) {
      admission.arrived('hung', now);
      admission.arrived('', now);
      admission.served('', now, 0);
    }
    return admission;
  }

  it('are refused where that one does not answer in time, and nobody else is for that', () => {
    const admission = oneHangs();
    const refusal = (wanted: string, before: number): string =>
      admission.refusal(wanted, servers, { all: 100 + before, before }, 'both', 5_000)?.message ?? 'let in';
    expect(refusal('hung', 100)).toMatch(/^100 requests wait already for hung, /);
    expect(refusal('', 20)).toBe('let in');
    expect(refusal('well', 1)).toBe('let in');
  });

  it('begin a new queue where that one was idle, and only there', () => {
    const admission = oneHangs();
    const isRefused = (): boolean =>
      admission.refusal('hung', servers, { all: 100, before: 100 }, 'both', 5_000) !== null;
    admission.emptied('hung', [{ name: 'well', busy: 0, workers: 8, backlog: NONE }], 4_990);
    expect(isRefused()).toBe(true);
    admission.emptied('hung', [{ name: 'hung', busy: 7, workers: 8, backlog: NONE }], 4_990);
    expect(isRefused()).toBe(false);
    const another = oneHangs();
    another.emptied('', [{ name: 'hung', busy: 7, workers: 8, backlog: NONE }], 4_990);
    expect(another.refusal('hung', servers, { all: 100, before: 100 }, 'both', 5_000)).toBeNull();
  });

  it('begin with a burst, which may wait', () => {
    const admission = new Admission(1_000);
    admission.arrived('well', 9_000);
    expect(admission.refusal('well', servers, { all: 100, before: 100 }, 'both', 9_100)).toBeNull();
  });

  it('are forgotten with their server', () => {
    const admission = oneHangs();
    admission.keep([{ name: 'well' }]);
    admission.arrived('hung', 5_000);
    expect(admission.refusal('hung', servers, { all: 100, before: 100 }, 'both', 5_000)).toBeNull();
  });

  it('count for queueSize as all others do', () => {
    const admission = new Admission(100);
    const full = admission.refusal('', servers, { all: 100, before: 0 }, 'both', 1_000);
    expect(full).toMatchObject({ code: 'FCGI_ERR_QUEUE_FULL' });
  });
});

describe('a request whose worker has come is refused', () => {
  it('and counted, if its client would have left before it is answered', () => {
    const admission = new Admission(1_000);
    for (let now = 1_000; now <= 9_000; now += 125) {
      admission.arrived('', now);
      admission.served('', now, 1_000, -1);
    }
    const left = { queuedAt: 7_000, connection: {}, exchange: null };
    for (let nth = 0; nth < 11; nth++) admission.left('', left, 9_000);
    const one = (queuedAt: number): FcgiError | null =>
      admission.tooOld('', { name: 'fpm', servers: [] }, { queuedAt, attempts: 0 }, 0, 9_000);
    expect(one(8_400)).toBeNull();
    expect(one(8_399)).toMatchObject({
      code: 'FCGI_ERR_QUEUE_OVERLOAD',
      retryAfter: 1,
      message: expect.stringContaining('601 ms for fpm'),
    });
    expect(admission.refused).toBe(1);
  });

  describe('where more comes than is answered', () => {
    /** 50 a second for two seconds, each within 20 ms, and twice as many come. */
    function overloaded(): Admission {
      const admission = new Admission(1_000);
      admission.emptied('', [{ name: 'a', busy: 0, workers: 1, backlog: NONE }], 1_000);
      for (let now = 1_020; now <= 3_000; now += 20) {
        admission.served('', now, 20);
        for (let i = 0; i < 2; i++) admission.arrived('', now);
      }
      return admission;
    }
    /** Of two workers, and six of eight connections wait for theirs. */
    const fpm = (busy = 8): Parameters<Admission['tooOld']>[1] => ({
      name: 'fpm',
      servers: [{ name: 'a', busy, workers: 2, backlog: { ...NONE, size: busy - 2 } }],
    });

    it('if it has waited for longer than anybody is let in for, in the backlog or before', () => {
      const admission = overloaded();
      const old = (age: number): string =>
        admission.tooOld('', fpm(), { queuedAt: 3_000 - age, attempts: 0 }, 3, 3_000)?.message ?? 'sent';
      expect(old(399)).toBe('sent');
      expect(admission.refused).toBe(0);
      expect(old(401)).toBe(
        'the request has waited for 401 ms for fpm, which is asked for more than it answers',
      );
      expect(admission.refused).toBe(1);
    });

    it('no more of them than came too many', () => {
      const admission = overloaded();
      const old = (): boolean =>
        admission.tooOld('', fpm(2_000), { queuedAt: 2_500, attempts: 0 }, 0, 3_000) !== null;
      const refused = Array.from({ length: 200 }, old).filter(Boolean).length;
      // 100 came too many, and those of the first moment are a burst.
      expect(refused).toBeGreaterThan(40);
      expect(refused).toBeLessThanOrEqual(100);
      expect(admission.refused).toBe(refused);
    });

    it('while others wait behind it: of ours two for each worker, in the queue or in the backlog', () => {
      const old = (busy: number, queued: number): boolean =>
        overloaded().tooOld('', fpm(busy), { queuedAt: 2_500, attempts: 0 }, queued, 3_000) !== null;
      expect([old(4, 0), old(5, 0), old(4, 1)]).toEqual([false, true, true]);
    });

    it('but not one that is sent again: a worker has had it before', () => {
      const again = { queuedAt: 2_500, attempts: 1 };
      expect(overloaded().tooOld('', fpm(), again, 3, 3_000)).toBeNull();
    });
  });

  it('not where as many come as are answered, however long it has waited', () => {
    const admission = new Admission(1_000);
    admission.emptied('', [{ name: 'a', busy: 0, workers: 1, backlog: NONE }], 1_000);
    for (let now = 1_020; now <= 3_000; now += 20) {
      admission.served('', now, 20);
      admission.arrived('', now);
    }
    const servers = [{ name: 'a', busy: 8, workers: 2, backlog: { ...NONE, size: 6 } }];
    const old = { queuedAt: 1_100, attempts: 0 };
    expect(admission.tooOld('', { name: 'fpm', servers }, old, 3, 3_000)).toBeNull();
  });
});

describe('of those that wait in the queue, held back are as many as there might be connections for', () => {
  const settings = { connections: 8 };
  const servers = [
    { name: 'held', hasRoom: false, busy: 5, settings, backendCheck: { held: 0 } },
    { name: 'all busy', hasRoom: false, busy: 8, settings, backendCheck: { held: 0 } },
    { name: 'looks', hasRoom: false, busy: 8, settings, backendCheck: { held: 1 } },
    { name: 'not', hasRoom: true, busy: 2, settings, backendCheck: { held: 0 } },
  ];

  it.each([
    { wanted: '', count: 4 },
    { wanted: 'held', count: 3 },
    { wanted: 'all busy', count: 0 },
    { wanted: 'looks', count: 1 },
    { wanted: 'not', count: 0 },
  ])('to "$wanted": $count', ({ wanted, count }) => {
    expect(heldBackOf(servers, wanted, 8)).toBe(count);
  });
});
