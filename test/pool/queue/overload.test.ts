import { describe, expect, it } from 'vitest';
import { type Arrival, Overload } from '../../../src/pool/queue/overload.ts';

interface Story {
  /** ms between two answers; 0: none comes. */
  readonly every: number;
  /** Requests that come for each that is answered. */
  readonly comes: number;
  readonly until: number;
}

/** A queue that begins at 1000. */
function queue({ every, comes, until }: Story): Overload {
  const overload = new Overload();
  overload.idle(1_000);
  let owed = 0;
  for (let now = 1_000 + every; every > 0 && now <= until; now += every) {
    overload.served(now, 0);
    for (owed += comes; owed >= 1; owed--) overload.arrived(now);
  }
  return overload;
}

const growing = (every: number, until: number): Overload => queue({ every, comes: 1.5, until });
const standing = (every: number, until: number): Overload => queue({ every, comes: 1, until });

function arrival(now: number, queued: number, more: Partial<Arrival> = {}): Arrival {
  return { now, queued, sent: 1, workers: 1, usual: 0, backlog: 0, inBacklog: 0, ...more };
}

describe('one more may wait', () => {
  it('in a burst, however many there are', () => {
    expect(growing(10, 1_140).refuses(arrival(1_149, 100_000))).toBeNull();
  });

  it('where the queue will be gone in time, however long it is', () => {
    // 100 and 1000 a second: 29 and 290 of them take 290 ms.
    expect(growing(10, 2_000).refuses(arrival(2_000, 29))).toBeNull();
    expect(growing(1, 2_000).refuses(arrival(2_000, 290))).toBeNull();
  });

  it('for a second and a half in a queue that only stands: its clients ask when they have been answered', () => {
    expect(standing(10, 4_000).refuses(arrival(4_000, 140))).toBeNull();
    expect(standing(10, 4_000).refuses(arrival(4_000, 170))).not.toBeNull();
  });

  it('for as long where workers die with their requests: others take their places, as they do behind answers', () => {
    const overload = new Overload();
    overload.idle(1_000);
    for (let now = 1_010; now <= 4_000; now += 10) {
      overload.died(now);
      overload.arrived(now);
    }
    expect(overload.refuses(arrival(4_000, 140))).toBeNull();
    expect(overload.refuses(arrival(4_000, 170))).not.toBeNull();
  });

  it('in one that only stands, until as many have been answered as are sent, and for two seconds: slow pages may have met in all workers', () => {
    // 58 clients, each of which asks again once he is answered, and eight connections, for which it takes 300 ms that all of them have slow pages.
    const overload = new Overload();
    overload.idle(1_000);
    for (let i = 0; i < 58; i++) overload.arrived(1_000);
    const answer = (now: number): void => {
      overload.served(now, 0);
      overload.arrived(now);
    };
    for (let i = 0; i < 20; i++) answer(1_002);
    answer(1_302);
    const refuses = (now: number): number | null =>
      overload.refuses(arrival(now, 50, { sent: 8, workers: 8 }));
    expect(refuses(1_302)).toBeNull();
    for (let i = 0; i < 6; i++) answer(2_998);
    expect(refuses(2_999)).toBeNull();
    expect(refuses(3_000)).not.toBeNull();
    const sooner = overload.refuses(arrival(2_999, 50, { sent: 7, workers: 7 }));
    expect(sooner).not.toBeNull();
  });

  it('for as long at the pace of five seconds: a database may hold all workers for one', () => {
    const overload = standing(10, 6_000);
    for (let now = 6_100; now <= 7_000; now += 100) {
      overload.served(now, 0);
      overload.arrived(now);
    }
    expect(overload.refuses(arrival(7_000, 100))).toBeNull();
    expect(overload.refuses(arrival(7_000, 140))).not.toBeNull();
  });

  it('exactly so long at that pace, with what the workers have in hand half done', () => {
    const overload = new Overload();
    overload.idle(1_000);
    const answer = (now: number): void => {
      overload.arrived(now);
      overload.served(now, 0);
    };
    for (let i = 0; i < 1_448; i++) answer(1_500);
    answer(3_950);
    // 1449 in 2.9 s, and half of the 2 that run: one in 2 ms.
    const two = { sent: 2, workers: 2 };
    expect(overload.refuses(arrival(4_000, 750, two))).toBeNull();
    expect(overload.refuses(arrival(4_000, 751, two))).not.toBeNull();
  });

  it('for as long where it has grown at first, and stands since', () => {
    const overload = growing(10, 3_000);
    for (let now = 3_010; now <= 6_000; now += 10) {
      overload.served(now, 0);
      overload.arrived(now);
    }
    expect(overload.refuses(arrival(6_000, 100))).toBeNull();
  });

  it('in a queue that gets shorter, whatever came while nothing was answered', () => {
    /** Nothing is answered for a second, in which 100 come; then one in 2 ms, and one comes every so many ms. */
    const paused = (every: number): Overload => {
      const overload = standing(10, 4_000);
      for (let now = 4_010; now <= 5_000; now += 10) overload.arrived(now);
      for (let now = 5_002; now <= 5_200; now += 2) {
        overload.served(now, 0);
        if (now % every === 0) overload.arrived(now);
      }
      return overload;
    };
    // Of 100 that were answered a chance of 15 or more came less; 100 in 200 ms.
    expect(paused(4).refuses(arrival(5_200, 140))).toBeNull();
    expect(paused(4).refuses(arrival(5_200, 800))).not.toBeNull();
    expect(paused(2).refuses(arrival(5_200, 140))).not.toBeNull();
  });

  it('in a queue that gets shorter by more than chance, which is one and a half times the root of what was answered', () => {
    /** As above, and of the 64 that are answered then all but so many are asked again at once. */
    const shorterBy = (fallen: number): boolean => {
      const overload = standing(10, 4_000);
      for (let now = 4_010; now <= 5_000; now += 10) overload.arrived(now);
      for (let nth = 0; nth < 64; nth++) {
        overload.served(5_005 + nth, 0);
        if (nth < 64 - fallen) overload.arrived(5_005 + nth);
      }
      return overload.refuses(arrival(5_125, 90)) === null;
    };
    expect([shorterBy(12), shorterBy(13)]).toEqual([false, true]);
  });

  it('in a queue that gets shorter, by what was answered since it began: what came before was another pace', () => {
    /** 20 a second for two seconds since a worker was idle at 10 s, and just before it, if `quick`, 24 within 50 ms. */
    const since = (quick: boolean, queued: number): number | null => {
      const overload = new Overload();
      for (let now = 9_850; quick && now < 9_898; now += 2) {
        overload.arrived(now);
        overload.served(now, 50);
      }
      overload.idle(10_000);
      for (let i = 0; i < 80; i++) overload.arrived(10_001);
      for (let now = 10_050; now <= 12_000; now += 50) overload.served(now, 50);
      return overload.refuses(arrival(12_000, queued, { usual: 50 }));
    };
    expect([since(false, 25), since(true, 25)]).toEqual([null, null]);
    // Two seconds.
    expect([since(false, 41), since(true, 41)]).toEqual([expect.any(Number), expect.any(Number)]);
  });

  it('where its client would be answered in the very moment in which others leave', () => {
    const overload = standing(10, 3_990);
    for (let i = 0; i < 11; i++) overload.left(4_000, 2_000, true);
    expect(overload.longestStay(4_000)).toBe(1_600);
    // One in 10 ms: with those that are sent it is the 160th.
    const crowded = { sent: 20, workers: 20 };
    expect(overload.refuses(arrival(4_000, 139, crowded))).toBeNull();
    expect(overload.refuses(arrival(4_000, 140, crowded))).toBe(10);
  });

  it('now and then for 0.7 s, exactly so long included, to see whether the queue grows at all', () => {
    const refusedFrom2 = (): Overload => {
      const overload = new Overload();
      overload.idle(1_000);
      for (let now = 1_010; now <= 12_000; now += 10) {
        overload.served(now, 0);
        for (let i = now % 20 === 0 ? 2 : 1; i > 0; i--) overload.arrived(now);
        if (now >= 2_000 && now % 1_000 === 0) expect(overload.refuses(arrival(now, 1_000))).not.toBeNull();
      }
      overload.idle(12_000);
      for (let i = 0; i < 449; i++) overload.served(12_500, 0);
      for (let i = 0; i < 900; i++) overload.arrived(12_500);
      return overload;
    };
    // 449 in 900 ms, and half of the 2 that run: one in 2 ms.
    const two = { sent: 2, workers: 2 };
    expect(refusedFrom2().refuses(arrival(13_000, 350, two))).toBeNull();
    expect(refusedFrom2().refuses(arrival(13_000, 351, two))).not.toBeNull();
  });

  it('and that for two seconds and a page, in which it is seen', () => {
    const overload = new Overload();
    overload.idle(1_000);
    const letIn: number[] = [];
    for (let now = 1_010; now <= 17_000; now += 10) {
      overload.served(now, 10);
      for (let i = now % 20 === 0 ? 2 : 1; i > 0; i--) overload.arrived(now);
      // 60 of 100 a second take 0.6 s.
      if (now >= 4_000 && overload.refuses(arrival(now, 60, { usual: 10 })) === null) letIn.push(now);
    }
    expect([letIn.at(0), letIn.at(-1)]).toEqual([14_000, 16_000]);
  });

  it('where a few more come than are answered: that may be chance', () => {
    const overload = standing(10, 4_000);
    // Of 91 that were answered 14, which is more than a tenth; of four three.
    for (let i = 0; i < 14; i++) overload.arrived(4_000);
    expect(overload.refuses(arrival(4_000, 100))).toBeNull();
    overload.arrived(4_000);
    expect(overload.refuses(arrival(4_000, 100))).not.toBeNull();
    const many = standing(1, 4_000);
    // Of 901 a tenth.
    for (let i = 0; i < 90; i++) many.arrived(4_000);
    expect(many.refuses(arrival(4_000, 1_000))).toBeNull();
    many.arrived(4_000);
    expect(many.refuses(arrival(4_000, 1_000))).not.toBeNull();
    const slow = standing(500, 3_000);
    for (let i = 0; i < 3; i++) slow.arrived(3_000);
    expect(slow.refuses(arrival(3_000, 3))).toBeNull();
    slow.arrived(3_000);
    expect(slow.refuses(arrival(3_000, 3))).not.toBeNull();
  });

  it('whatever came in the burst with which the queue began', () => {
    const overload = new Overload();
    overload.idle(1_000);
    for (let i = 0; i < 500; i++) overload.arrived(1_001);
    for (let now = 1_010; now <= 2_000; now += 10) {
      overload.served(now, 0);
      overload.arrived(now);
    }
    expect(overload.refuses(arrival(2_000, 100))).toBeNull();
  });

  it('where eight have been answered at once, and their clients ask again behind the border of a tenth of a second', () => {
    const overload = new Overload();
    overload.idle(1_000);
    for (let i = 0; i < 24; i++) overload.arrived(1_000);
    for (let now = 1_198; now <= 3_000; now += 200) {
      for (let i = 0; i < 8; i++) overload.served(now, 200);
      for (let i = 0; i < 8; i++) {
        const asked = arrival(now + 4, 15, { sent: 8, workers: 3, usual: 200 });
        expect(overload.refuses(asked)).toBeNull();
        overload.arrived(now + 4);
      }
    }
  });

  it('where half of all clients were answered at once just before the time that is looked at, and ask again in it', () => {
    const overload = new Overload();
    overload.idle(1_000);
    const ask = (now: number): void => {
      for (let i = 0; i < 32; i++) overload.arrived(now);
    };
    const answer = (now: number): void => {
      for (let i = 0; i < 32; i++) overload.served(now, 200);
    };
    for (let i = 0; i < 2; i++) ask(1_001);
    for (const now of [1_890, 2_390, 2_890, 3_390]) {
      answer(now);
      ask(now + 40);
    }
    // In the second up to 3,900 it seems to grow by 32, and does not beside what it was for a page before.
    const asked = arrival(3_900, 32, { sent: 32, workers: 32, usual: 200 });
    expect(overload.refuses(asked)).toBeNull();
  });

  it('for two pages and a half, where they take long', () => {
    // 8 workers, pages of a second: 19 that wait take 2.2 s, 25 take 2.9 s.
    const overload = growing(125, 5_000);
    expect(overload.refuses(arrival(5_000, 19, { usual: 1_000 }))).toBeNull();
    expect(overload.refuses(arrival(5_000, 25, { usual: 1_000 }))).not.toBeNull();
    expect(overload.refuses(arrival(5_000, 19, { usual: 100 }))).not.toBeNull();
  });

  it('for half of that where half of what was sent has no worker, and waits as well', () => {
    const overload = growing(125, 5_000);
    const crowded = { usual: 1_000, sent: 8, workers: 4 };
    expect(overload.refuses(arrival(5_000, 5, crowded))).toBeNull();
    expect(overload.refuses(arrival(5_000, 10, crowded))).not.toBeNull();
    // How many workers there are may not be known yet.
    expect(overload.refuses(arrival(5_000, 2, { ...crowded, workers: 1 }))).toBeNull();
  });

  it('where fewer wait than there are workers, however slow they are', () => {
    const overload = growing(100, 9_000);
    expect(overload.refuses(arrival(9_000, 3, { sent: 8, workers: 4 }))).toBeNull();
    expect(overload.refuses(arrival(9_000, 4, { sent: 8, workers: 4 }))).not.toBeNull();
  });

  it('where a worker was idle a moment ago', () => {
    const overload = growing(10, 5_000);
    overload.idle(4_851);
    expect(overload.refuses(arrival(5_000, 1_000))).toBeNull();
  });

  it('for two seconds while nothing is answered at all, and then three for each that runs', () => {
    const silent = queue({ every: 0, comes: 0, until: 0 });
    expect(silent.refuses(arrival(2_999, 1_000, { sent: 8 }))).toBeNull();
    expect(silent.refuses(arrival(3_000, 23, { sent: 8 }))).toBeNull();
    expect(silent.refuses(arrival(3_000, 24, { sent: 8 }))).toBe(1_000);
  });

  it('where it takes exactly as long as it may', () => {
    const overload = new Overload();
    overload.idle(1_000);
    for (let i = 0; i < 449; i++) overload.served(1_500, 0);
    for (let i = 0; i < 900; i++) overload.arrived(1_500);
    // 449 in 900 ms, and half of the 2 that run: one in 2 ms.
    expect(overload.refuses(arrival(2_000, 150, { sent: 2, workers: 2 }))).toBeNull();
    expect(overload.refuses(arrival(2_000, 151, { sent: 2, workers: 2 }))).not.toBeNull();
  });

  it('where it takes exactly as long as it may in a queue that stands', () => {
    const overload = new Overload();
    overload.idle(1_000);
    for (let i = 0; i < 449; i++) overload.served(1_500, 0);
    for (let i = 0; i < 449; i++) overload.arrived(1_500);
    expect(overload.refuses(arrival(2_000, 750, { sent: 2, workers: 2 }))).toBeNull();
    expect(overload.refuses(arrival(2_000, 751, { sent: 2, workers: 2 }))).not.toBeNull();
  });

  it('where nothing is sent: no server is known yet', () => {
    expect(growing(10, 5_000).refuses(arrival(5_000, 1_000, { sent: 0 }))).toBeNull();
  });
});

describe('workers of which few are known, as their sockets are closed after each page', () => {
  /** Eight at once, a second later the next eight. */
  function eightByEight(took: number): Overload {
    const overload = new Overload();
    overload.idle(1_000);
    for (let i = 0; i < 24; i++) overload.arrived(1_000);
    for (const now of [2_050, 3_050, 4_050])
      for (let i = 0; i < 8; i++) {
        overload.served(now, took);
        overload.arrived(now);
      }
    return overload;
  }
  const few = { sent: 8, workers: 2, usual: 1_000 };

  it('are as many as have answered within the time of the quickest', () => {
    // 16 that wait are two pages' work of eight, and four of four.
    expect(eightByEight(1_000).refuses(arrival(4_060, 16, few))).toBeNull();
    expect(eightByEight(10).refuses(arrival(4_060, 16, few))).not.toBeNull();
  });

  it('may take two pages and a half also while the quickest is all that is known of what one takes', () => {
    const overload = new Overload();
    overload.idle(1_000);
    for (let i = 0; i < 8; i++) overload.served(3_000, 2_000);
    const waiting = { sent: 8, workers: 8, usual: 0 };
    expect(overload.refuses(arrival(3_010, 25, waiting))).toBeNull();
    expect(overload.refuses(arrival(3_010, 35, waiting))).not.toBeNull();
  });

  it('and no more while that has taken longer than anything is remembered: it is not known then what one takes', () => {
    const afterOneOf = (took: number, queued: number): number | null => {
      const overload = new Overload();
      overload.idle(1_000);
      for (let i = 0; i < 8; i++) overload.served(12_000, took);
      return overload.refuses(arrival(12_010, queued, { sent: 8, workers: 8 }));
    };
    expect(afterOneOf(10_000, 25)).toBeNull();
    expect(afterOneOf(10_001, 25)).not.toBeNull();
  });

  it('are not more than were sent to', () => {
    const crowded = { ...few, sent: 4 };
    expect(eightByEight(5_000).refuses(arrival(4_060, 30, crowded))).not.toBeNull();
  });

  it('are as many after an answer in half the time, no less', () => {
    const with8 = (took: number): Overload => {
      const overload = eightByEight(1_000);
      overload.refuses(arrival(4_060, 16, few));
      overload.served(4_600, took);
      overload.arrived(4_600);
      return overload;
    };
    expect(with8(500).refuses(arrival(4_610, 16, few))).toBeNull();
    expect(with8(499).refuses(arrival(4_610, 16, few))).not.toBeNull();
  });

  it('are looked for anew once one was idle', () => {
    const overload = eightByEight(1_000);
    overload.idle(4_100);
    for (let now = 4_210; now <= 7_000; now += 250) {
      overload.served(now, 250);
      for (let i = 0; i < 2; i++) overload.arrived(now);
    }
    expect(overload.refuses(arrival(7_000, 12, few))).not.toBeNull();
  });
});

describe('one more is refused', () => {
  it('where the queue grows, and takes longer than it should', () => {
    expect(growing(10, 3_000).refuses(arrival(3_000, 40))).toBeGreaterThan(0);
  });

  it('from 150 ms on, by the pace since the queue began', () => {
    expect(growing(10, 1_150).refuses(arrival(1_150, 1_000))).not.toBeNull();
    expect(growing(10, 1_400).refuses(arrival(1_400, 60))).not.toBeNull();
  });

  it('by the pace of the last second, not of the one before', () => {
    const overload = growing(1, 3_000);
    for (let now = 3_100; now <= 5_000; now += 100) {
      overload.served(now, 0);
      for (let i = 0; i < 3; i++) overload.arrived(now);
    }
    expect(overload.refuses(arrival(5_000, 30))).toBeGreaterThan(2_000);
  });

  it('where the queue grows, however high it was more than a page ago', () => {
    const overload = standing(10, 6_400);
    for (let i = 0; i < 200; i++) overload.arrived(6_410);
    for (let i = 0; i < 200; i++) overload.served(6_500, 0);
    for (let now = 6_510; now <= 8_000; now += 10) {
      overload.served(now, 0);
      for (let i = now > 7_000 && now % 20 === 0 ? 2 : 1; i > 0; i--) overload.arrived(now);
    }
    expect(overload.refuses(arrival(8_000, 40, { usual: 10 }))).not.toBeNull();
    expect(overload.refuses(arrival(8_000, 40, { usual: 1_000 }))).toBeNull();
  });

  it('where it grows by a fifth of what is answered, twenty a second, for a few seconds; a tenth may be chance', () => {
    // Ten take half a second. Of 33 in a second and a half one fifth is 7, and the root of it one and a half times is 9; of 96 they are 19 and 15.
    const isRefused = (comes: number, until: number): boolean =>
      queue({ every: 50, comes, until }).refuses(arrival(until, 10)) !== null;
    expect([2_500, 5_500, 9_000, 20_000].map((until) => isRefused(1.2, until))).toEqual([
      false,
      true,
      true,
      true,
    ]);
    expect([2_500, 5_500, 9_000, 20_000].map((until) => isRefused(1.1, until))).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it('where those that are sent, and have no worker, make up the rest', () => {
    // 100 a second: 29 take 290 ms, 39 take 390.
    const overload = growing(10, 3_000);
    expect(overload.refuses(arrival(3_000, 29, { sent: 8, workers: 8 }))).toBeNull();
    expect(overload.refuses(arrival(3_000, 29, { sent: 18, workers: 8 }))).not.toBeNull();
    expect(overload.refuses(arrival(3_000, 29, { sent: 1, workers: 8 }))).toBeNull();
  });

  it('where as many have been answered as are sent: each worker has had its turn, so their number is known', () => {
    const once = growing(125, 2_000);
    expect(once.refuses(arrival(2_000, 4, { sent: 8, workers: 4 }))).not.toBeNull();
    expect(once.refuses(arrival(2_000, 4, { sent: 9, workers: 4 }))).toBeNull();
  });

  it('and told how much shorter the queue must become', () => {
    // 10 a second: 20 take about 2 s, and 300 ms are allowed.
    const over = growing(100, 4_000).refuses(arrival(4_000, 20)) ?? 0;
    expect(over).toBeGreaterThan(1_350);
    expect(over).toBeLessThan(1_750);
  });
});

it('an answer that was there at once counts for how long clients stay', () => {
  const overload = new Overload();
  for (let i = 0; i < 30; i++) {
    overload.left(10_000, 2_000, true);
    for (let answers = 0; answers < 2; answers++) overload.served(10_000, 0);
  }
  expect(overload.longestStay(10_000)).toBe(Number.POSITIVE_INFINITY);
});

describe('what waits in the backlog of the server, behind the requests of all processes', () => {
  /** One more of ours would be sent at once, or would wait in the queue; so many of ours wait there, and one runs. */
  const refused = (overload: Overload, now: number, inBacklog: number): boolean[] => {
    const ask = arrival(now, 0, { sent: inBacklog + 1, inBacklog });
    return [ask, { ...ask, queued: 1 }].map((one) => overload.refuses(one) !== null);
  };

  it('counts as the queue does', () => {
    // 100 a second: 29 take 290 ms, 30 take 295, as the one that runs is half done.
    expect(refused(growing(10, 2_000), 2_000, 29)).toEqual([false, false]);
    expect(refused(growing(10, 2_000), 2_000, 30)).toEqual([false, true]);
    expect(refused(growing(10, 2_000), 2_000, 31)).toEqual([true, true]);
    expect(refused(standing(10, 2_000), 2_000, 31)).toEqual([false, false]);
    expect(refused(standing(10, 4_000), 4_000, 152)).toEqual([false, true]);
    expect(refused(standing(10, 4_000), 4_000, 153)).toEqual([true, true]);
  });

  it('is no overload where less waits than runs', () => {
    const slow = growing(200, 4_000);
    const ask = arrival(4_000, 0, { sent: 7, workers: 4, inBacklog: 3, usual: 10 });
    expect(slow.refuses(ask)).toBeNull();
    expect(slow.refuses({ ...ask, sent: 8, inBacklog: 4 })).toBeGreaterThan(0);
  });

  it('has one worker at the least: somebody runs what is answered, although all of ours are known to wait', () => {
    const ask = (inBacklog: number): Arrival => arrival(2_000, 0, { sent: inBacklog, inBacklog });
    expect(growing(10, 2_000).refuses(ask(31))).toBeNull();
    expect(growing(10, 2_000).refuses(ask(32))).not.toBeNull();
  });

  it('does not show that all others run: where few were asked for their worker, many more of ours wait', () => {
    // 100 a second: 29 take 290 ms, and 38 take 380. Others have all workers but one, or that is all there are.
    const ask = arrival(2_000, 0, { sent: 39, inBacklog: 29 });
    expect(growing(10, 2_000).refuses(ask)).toBeGreaterThan(0);
    expect(growing(10, 2_000).refuses({ ...ask, workers: 10 })).toBeNull();
  });

  it('while those run that are answered within the time of a page, at the most as many as are not known to wait', () => {
    const ask = arrival(2_090, 0, { sent: 39, inBacklog: 29 });
    const answered = (took: number): Overload => {
      const overload = new Overload();
      overload.idle(1_000);
      for (let now = 1_010; now <= 2_090; now += 10) {
        overload.served(now, took);
        for (let i = 0; i < 2; i++) overload.arrived(now);
      }
      return overload;
    };
    expect(answered(100).refuses(ask)).toBeNull();
    expect(answered(60).refuses(ask)).toBeGreaterThan(0);
    // Twenty are answered in that time, and ten run: 32 others take more than 300 ms.
    expect(answered(200).refuses({ ...ask, sent: 42, inBacklog: 32 })).toBeGreaterThan(0);
  });

  it('shows how many workers ours have: those that run', () => {
    // Eight were sent, and two of them run: six wait for what is answered in 360 ms; if all ran, nothing would wait.
    const ask = arrival(2_000, 0, { sent: 8 });
    expect(growing(60, 2_000).refuses({ ...ask, inBacklog: 0 })).toBeNull();
    expect(growing(60, 2_000).refuses({ ...ask, inBacklog: 6 })).toBeGreaterThan(0);
  });
});

describe('where little is answered, what comes is counted over the last 32 that were', () => {
  /** Answers every 300 ms for 30 s; in the last 9.6 s so many come besides the one for each. */
  const grown = (more: number): Overload => {
    const overload = new Overload();
    overload.idle(1_000);
    for (let now = 1_300; now <= 31_000; now += 300) {
      overload.served(now, 0);
      overload.arrived(now);
    }
    for (let nth = 0; nth < more; nth++) overload.arrived(25_000);
    return overload;
  };
  const isRefused = (more: number): boolean =>
    grown(more).refuses(arrival(31_000, 4, { usual: 100 })) !== null;

  it('a few more may be chance, one and a half times the root of what was answered', () => {
    // 31 in whole tenths of a second.
    expect([isRefused(8), isRefused(9)]).toEqual([false, true]);
  });
});
