/** Who has been let in, and waits for longer than anybody is let in for, is refused while more comes than is answered. */
import { describe, expect, it } from 'vitest';
import { Admission } from '../../../src/pool/queue/admission.ts';
import { Overload, type Stale } from '../../../src/pool/queue/overload.ts';

interface Story {
  /** Requests that come for each that is answered, as long as any is. */
  readonly comes: number;
  readonly until?: number;
  /** ms between two answers. */
  readonly every?: number;
  /** From then on nothing is answered, but what comes goes on. */
  readonly silentFrom?: number;
  /** So many come at its beginning. */
  readonly burst?: number;
  /** Besides, every so many ms. */
  readonly each?: (overload: Overload, at: number) => void;
}

const now = 4_000;

/** A queue that began at 1000, of pages of 10 ms. */
function queue({ comes, until = now, every = 10, silentFrom = until, burst = 0, each }: Story): Overload {
  const overload = new Overload();
  overload.idle(1_000);
  for (let i = 0; i < burst; i++) overload.arrived(1_000);
  let owed = 0;
  for (let at = 1_000 + every; at <= until; at += every) {
    for (owed += comes; owed >= 1; owed--) overload.arrived(at);
    if (at <= silentFrom) overload.served(at, 10);
    each?.(overload, at);
  }
  return overload;
}

/** What is asked every few ms: `oldest` is when the one that has waited the longest was let in. */
function staleIn(overload: Overload, now: number, oldest: number, usual: number, queued = 1_000): Stale {
  return overload.stale({ now, queued, sent: 4, workers: 4, usual, backlog: 0, inBacklog: 0 }, oldest);
}

describe('who has waited for more than 400 ms', () => {
  const overloaded = queue({ comes: 1.5 });

  it('is refused, where more comes than is answered', () => {
    expect(staleIn(overloaded, now, 3_599, 10)).toEqual({ by: 3_600, most: expect.any(Number) });
    expect(staleIn(overloaded, now, 3_599, 10).most).toBeGreaterThan(0);
  });

  it('is refused to nobody for those who leave the queue: without them it is no longer than before', () => {
    const leaves = (isSent: boolean): Overload =>
      queue({ comes: 1.5, each: (overload, at) => at % 20 === 0 && overload.left(at, 50, isSent) });
    expect(staleIn(leaves(false), now, 3_599, 10).most).toBe(0);
    expect(staleIn(leaves(true), now, 3_599, 10).most).toBeGreaterThan(0);
  });

  it('or for more than two and a half pages, where those are longer', () => {
    expect(staleIn(overloaded, now, 3_500, 200).by).toBe(3_500);
    expect(staleIn(overloaded, now, 3_500, 200).most).toBeGreaterThan(0);
    expect(staleIn(overloaded, now, 3_501, 200).most).toBe(0);
  });

  it('waits on where no more comes than is answered: its clients ask again when they have been answered', () => {
    expect(staleIn(queue({ comes: 1 }), now, 2_500, 10).most).toBe(0);
  });

  it('waits on where it came with the burst that is worked off', () => {
    const burst = queue({ comes: 0.5, burst: 500 });
    expect(staleIn(burst, now, 1_001, 10).most).toBe(0);
  });

  it('waits on in the trial whether more may wait', () => {
    // 60 of 100 a second wait for 600 ms: too long, but no longer than in a trial, which comes 10 s after the first was refused
    const asks = (overload: Overload, now: number): void => {
      if (now >= 4_000)
        overload.refuses({ now, queued: 60, sent: 1, workers: 1, usual: 10, backlog: 0, inBacklog: 0 });
    };
    expect(
      staleIn(queue({ comes: 1.5, until: 13_990, each: asks }), 13_990, 13_500, 10).most,
    ).toBeGreaterThan(0);
    expect(staleIn(queue({ comes: 1.5, until: 14_000, each: asks }), 14_000, 13_500, 10).most).toBe(0);
  });
});

it('one for each worker may wait on, however long: so few clients make no overload', () => {
  expect(staleIn(queue({ comes: 1.5 }), now, 3_000, 10, 6).most).toBe(2);
  expect(staleIn(queue({ comes: 1.5 }), now, 3_000, 10, 4).most).toBe(0);
});

it('nobody is refused who has waited for less', () => {
  expect(staleIn(queue({ comes: 1.5 }), now, 3_601, 10).most).toBe(0);
});

it('no more are refused than have come beyond what was answered: clients who ask again may seem to be more for a moment', () => {
  const overload = queue({ comes: 1.5 });
  const { most } = staleIn(overload, now, 3_000, 10);
  // In the second that is looked at 150 have come, and 100 were answered.
  expect(most).toBeGreaterThanOrEqual(49);
  expect(most).toBeLessThanOrEqual(52);
  for (let i = 1; i < most; i++) overload.refusedStale(now);
  expect(staleIn(overload, now, 3_000, 10).most).toBe(1);
  overload.refusedStale(now);
  expect(staleIn(overload, now, 3_000, 10).most).toBe(0);
  overload.refusedStale(now);
  expect(staleIn(overload, now, 3_000, 10).most).toBe(0);
});

describe('while nothing is answered, as php-fpm restarts or a table is locked', () => {
  const locked = (): Overload => queue({ comes: 1.5, silentFrom: 3_400 });

  it('nobody is refused from half a second on', () => {
    expect(staleIn(locked(), 3_900, 3_400, 10).most).toBeGreaterThan(0);
    expect(staleIn(locked(), 3_901, 3_400, 10).most).toBe(0);
  });

  it('nor are those who came before its end, behind it', () => {
    const overload = locked();
    staleIn(overload, now, 3_500, 10);
    for (let at = 4_010; at <= 5_500; at += 10) {
      overload.served(at, 10);
      for (let i = 0; i < 2; i++) overload.arrived(at);
    }
    expect(staleIn(overload, 5_500, 3_999, 10).most).toBe(0);
    expect(staleIn(overload, 5_500, 4_000, 10).most).toBeGreaterThan(0);
  });

  it('or for four times what usually lies between two answers', () => {
    const seldom = (until: number): Overload => queue({ comes: 3, every: 300, silentFrom: 4_000, until });
    expect(staleIn(seldom(4_900), 5_100, 4_600, 10).most).toBeGreaterThan(0);
    expect(staleIn(seldom(5_200), 5_300, 4_700, 10).most).toBe(0);
  });
});

it('before the first answer nobody is', () => {
  const overload = new Overload();
  overload.idle(1_000);
  for (let at = 1_010; at <= now; at += 10) overload.arrived(at);
  expect(staleIn(overload, now, 2_000, 10).most).toBe(0);
});

describe('of those that wait', () => {
  const NONE = { size: 0, wait: 0, behindOthers: 0 };
  const load = (name: string) => ({ name, busy: 1, workers: 1, backlog: NONE });
  const loads = { name: 'fpm', servers: [load('a'), load('b')] };

  interface Job {
    readonly queuedAt: number;
    readonly attempts: number;
    readonly request: { readonly server?: string };
  }

  interface Line {
    readonly first: Job | null;
    readonly size: number;
    readonly jobs: Job[];
  }

  function line(jobs: readonly Job[]): Line {
    const left = [...jobs];
    return {
      jobs: left,
      get size() {
        return left.length;
      },
      get first() {
        return left[0] ?? null;
      },
    };
  }

  function overloaded(wanted: string): Admission {
    const admission = new Admission(1_000);
    admission.emptied(
      '',
      loads.servers.map((one) => ({ ...one, busy: 0 })),
      1_000,
    );
    for (let at = 1_010; at <= now; at += 10) {
      admission.arrived(wanted, at);
      if (at % 20 === 0) admission.served(wanted, at, 10);
    }
    admission.onTick(loads.servers, 4);
    return admission;
  }

  /** The ages of those that are refused. */
  function refused(admission: Admission, ...lines: Line[]): number[] {
    const ages: number[] = [];
    for (const { job } of admission.stale(lines, loads, now)) {
      ages.push(now - job.queuedAt);
      for (const one of lines) if (one.first === job) one.jobs.shift();
    }
    return ages;
  }

  const waits = (age: number, attempts = 0, server?: string): Job => ({
    queuedAt: now - age,
    attempts,
    request: server === undefined ? {} : { server },
  });

  it('the oldest are refused, and the others go on', () => {
    const admission = overloaded('');
    const waiting = line([waits(600), waits(400), waits(399), waits(10), waits(9)]);
    expect(refused(admission, waiting)).toEqual([600, 400]);
    expect(waiting.jobs).toHaveLength(3);
    expect(admission.refused).toBe(2);
  });

  it('as many as have come beyond what was answered, and no more', () => {
    const ages = refused(overloaded(''), line(Array.from({ length: 100 }, () => waits(600))));
    // In the second that is looked at 100 have come, and 50 were answered.
    expect(ages.length).toBeGreaterThanOrEqual(49);
    expect(ages.length).toBeLessThanOrEqual(52);
  });

  it('one that is sent again is not: it had a worker before, and is the next', () => {
    expect(refused(overloaded(''), line([waits(600, 1), waits(500), waits(10), waits(9)]))).toEqual([]);
  });

  it('it is told what it has waited for', () => {
    const [one] = overloaded('').stale([line([waits(601), waits(10), waits(9)])], loads, now);
    expect(one?.error).toMatchObject({
      code: 'FCGI_ERR_QUEUE_OVERLOAD',
      executed: 'no',
      retryAfter: 1,
      message: expect.stringContaining('601 ms for fpm'),
    });
  });

  it('each line is looked at by what its own server answers', () => {
    const lines = [
      line([waits(600), waits(10), waits(9)]),
      line([waits(700, 0, 'a'), waits(10, 0, 'a')]),
      line([]),
    ];
    expect(refused(overloaded('a'), ...lines)).toEqual([700]);
  });
});

describe('what the usual page takes', () => {
  /** 2.5 pages, or 300 ms: what one may wait for as more comes than is answered, tried with `queued`. */
  function isLetIn(queued: number, unknown: { took: number; hadWorker: boolean }, known: number): boolean {
    const admission = new Admission(10_000);
    const a = {
      name: 'a',
      busy: 1,
      workers: 1,
      backlog: { size: 0, wait: 0, behindOthers: 0 },
    };
    admission.emptied('', [{ ...a, busy: 0 }], 1_000);
    for (let at = 1_010, nth = 0; at <= now; at += 10, nth++) {
      for (let i = 0; i < 2; i++) admission.arrived('', at);
      const isKnown = nth % 300 < known;
      // It is said of those alone that had none.
      const hadWorker = isKnown || unknown.hadWorker ? undefined : false;
      admission.served('', at, isKnown ? 10 : unknown.took, 1_000, hadWorker);
    }
    admission.onTick([a], queued);
    return admission.refusal('', [a], { all: queued, before: queued }, 'fpm', now) === null;
  }

  it('is told by requests that had their worker as they were sent: the others may have waited in the backlog', () => {
    expect(isLetIn(60, { took: 400, hadWorker: true }, 8)).toBe(true);
    expect(isLetIn(60, { took: 400, hadWorker: false }, 8)).toBe(false);
  });

  it('and by all of them where hardly any has had', () => {
    expect(isLetIn(60, { took: 400, hadWorker: false }, 7)).toBe(true);
  });
});
