import { describe, expect, it } from 'vitest';
import { Workers } from '../../../src/pool/learned/workers.ts';

class Request {
  order = 0;
}

/** Requests by name, so that a case reads as a story. */
function story(): {
  workers: Workers<Request>;
  fresh(name: string, open: number): void;
  kept(name: string): void;
  firstByte(name: string, running: number): void;
  whole(name: string, served?: number): void;
  gone(name: string): void;
  passedBy(name: string): number;
  isTaken(name: string, served: number): boolean;
} {
  const workers = new Workers<Request>();
  const requests = new Map<string, Request>();
  const get = (name: string): Request => {
    const request = requests.get(name) ?? new Request();
    requests.set(name, request);
    return request;
  };
  return {
    workers,
    fresh: (name, open) => workers.sent(get(name), true, open),
    kept: (name) => workers.sent(get(name), false, 0),
    firstByte: (name, running) => workers.answered(get(name), running),
    whole: (name, served = 1) => workers.completed(get(name), served),
    gone: (name) => workers.gone(get(name)),
    passedBy: (name) => workers.passed(get(name)),
    isTaken: (name, served) => workers.isTaken(get(name), served),
  };
}

describe('a socket whose response is whole', () => {
  it('is kept while no request of ours waits on a fresh socket', () => {
    const { workers, kept, whole } = story();
    kept('a');
    whole('a');
    expect([workers.waiting, workers.oneMore]).toEqual([0, 0]);
    expect(workers.mustYield(1)).toBe(false);
  });

  it('is kept for the next one where nobody has been overtaken', () => {
    const { workers, fresh, whole } = story();
    fresh('a', 1);
    fresh('b', 2);
    whole('a');
    expect([workers.waiting, workers.oneMore]).toEqual([2, 2]);
    expect(workers.mustYield(1)).toBe(false);
  });

  it('is given up once requests that were sent later than the one that waits have been answered', () => {
    const { workers, fresh, kept, firstByte, whole } = story();
    fresh('a', 1);
    firstByte('a', 1);
    whole('a');
    fresh('waits', 2);
    kept('b');
    expect(workers.mustYield(1)).toBe(false);
    whole('b');
    kept('c');
    expect(workers.mustYield(1)).toBe(false);
    whole('c');
    expect(workers.mustYield(1)).toBe(true);
  });

  it.each([
    [0, 2],
    [1, 2],
    [2, 4],
    [7, 14],
  ])(
    'is given up for one that waits, where %i are served, once that was overtaken %i times',
    (served, times) => {
      const { workers, fresh, kept, firstByte, whole } = story();
      fresh('a', 1);
      fresh('b', 2);
      firstByte('a', 1);
      firstByte('b', 2);
      expect(workers.found).toBe(2);
      fresh('waits', 2);
      for (let overtaken = 1; overtaken <= times; overtaken++) {
        kept(`kept ${overtaken}`);
        whole(`kept ${overtaken}`);
        expect(workers.mustYield(served)).toBe(overtaken === times);
      }
      expect([workers.waiting, workers.oneMore]).toEqual([1, 0]);
    },
  );
});

describe('one socket more than have run at once waits', () => {
  /** So many have run at once; then one more waits, and of those that have workers `served` are left. It is overtaken once. */
  function overtakenOnce(found: number, served: number): ReturnType<typeof story> {
    const one = story();
    one.kept('before');
    one.firstByte('before', found);
    one.fresh('waits', found + 1);
    one.kept('later');
    one.whole('later', served);
    return one;
  }

  it.each([
    ['as many run as have been seen to', 4, 4, true],
    ['another runs as well, as php-fpm has more workers than were seen', 4, 5, true],
    ['one less runs: another process may have its worker', 4, 3, false],
    ['few run: other processes have the workers', 7, 2, false],
  ])('no more are opened where it was overtaken, or they are: %s', (_, found, served, is) => {
    const { workers } = overtakenOnce(found, served);
    expect([workers.isFull, workers.oneMoreOvertaken]).toEqual([is, 1]);
  });

  it('one that has its worker, and no answer yet, runs as well', () => {
    const { workers, fresh, kept, firstByte, whole } = story();
    kept('before');
    firstByte('before', 3);
    fresh('slow', 2);
    fresh('later', 3);
    firstByte('later', 2);
    fresh('waits', 4);
    kept('last');
    whole('last', 2);
    expect(workers.isFull).toBe(true);
  });

  it.each([4, 7])(
    'a socket is given up for it as late as for any other, where of %i that have run 3 do',
    (found) => {
      const { workers, kept, whole } = overtakenOnce(found, 3);
      for (let overtaken = 2; overtaken <= 6; overtaken++) {
        expect(workers.mustYield(3)).toBe(false);
        kept(`kept ${overtaken}`);
        whole(`kept ${overtaken}`, 3);
      }
      expect(workers.mustYield(3)).toBe(true);
    },
  );
});

describe('the worker that a fresh socket waits for', () => {
  /** Two have run at once; then one waits, with so many open, and is overtaken so often. */
  function waits(open: number, overtaken: number): ReturnType<typeof story> {
    const now = story();
    now.fresh('a', 1);
    now.fresh('b', 2);
    now.firstByte('a', 1);
    now.firstByte('b', 2);
    now.fresh('waits', open);
    for (let i = 0; i < overtaken; i++) {
      now.kept(`kept ${i}`);
      now.whole(`kept ${i}`);
    }
    return now;
  }

  it.each([
    ['none more than have run at once is overtaken twice by each that is served', 2, 4, 2, true],
    ['once less', 2, 3, 2, false],
    ['twice, where none is known to be served', 2, 2, 0, true],
    ['it is one more than have run at once: it waits for ours', 3, 6, 2, false],
  ])('is had by another process, or not: %s', (_, open, overtaken, served, is) => {
    expect(waits(open, overtaken).isTaken('waits', served)).toBe(is);
  });

  it('is its own where a later fresh socket has been answered: its script is slow', () => {
    const { fresh, firstByte, isTaken } = waits(2, 6);
    fresh('later', 2);
    firstByte('later', 2);
    expect(isTaken('waits', 2)).toBe(false);
  });

  it('is no matter of one that has been answered, nor of a kept one', () => {
    const { firstByte, isTaken } = waits(2, 6);
    firstByte('waits', 2);
    expect([isTaken('waits', 2), isTaken('kept 1', 0)]).toEqual([false, false]);
  });
});

describe('a fresh socket that has had no answer', () => {
  it('has its worker where a later fresh one is answered: the backlog is first come, first served', () => {
    const { workers, fresh, firstByte, whole } = story();
    fresh('slow', 1);
    fresh('later', 2);
    fresh('last', 3);
    firstByte('later', 1);
    whole('later');
    expect(workers.waiting).toBe(1);
    firstByte('last', 2);
    whole('last');
    expect(workers.waiting).toBe(0);
    expect(workers.mustYield(1)).toBe(false);
  });

  it('learns nothing from an answer on a kept socket', () => {
    const { workers, fresh, kept, firstByte } = story();
    fresh('waits', 1);
    kept('a');
    firstByte('a', 1);
    expect(workers.waiting).toBe(1);
  });

  it('does not wait any more once it has failed', () => {
    const { workers, fresh, gone } = story();
    fresh('a', 1);
    gone('a');
    expect(workers.waiting).toBe(0);
  });

  it('is not overtaken by what was sent before it', () => {
    const { workers, fresh, kept, whole } = story();
    kept('before');
    fresh('waits', 1);
    whole('before');
    expect(workers.mustYield(1)).toBe(false);
  });
});

it('the number of workers is that of the sockets that were seen to run at once, in this period or the last', () => {
  const { workers, kept, firstByte } = story();
  expect(workers.found).toBe(0);
  kept('a');
  firstByte('a', 3);
  firstByte('a', 2);
  expect(workers.found).toBe(3);
  workers.rotate();
  firstByte('a', 1);
  expect(workers.found).toBe(3);
  workers.rotate();
  expect(workers.found).toBe(1);
});

it('a fresh socket that has its worker counts among those that run', () => {
  const { workers, fresh, firstByte, gone } = story();
  fresh('slow', 1);
  fresh('slower', 2);
  fresh('later', 3);
  firstByte('later', 1);
  expect(workers.found).toBe(3);
  gone('slow');
  workers.rotate();
  firstByte('slower', 1);
  workers.rotate();
  expect(workers.found).toBe(1);
});

/** A fresh socket, and a later one that is answered in full first. */
function passedByLater(): ReturnType<typeof story> {
  const one = story();
  one.fresh('slow', 1);
  one.fresh('later', 2);
  one.firstByte('later', 1);
  one.whole('later');
  return one;
}

/** A fresh socket, with as many open as have run at once, and what was sent later is whole. */
function overtakenAmongAsMany(): ReturnType<typeof story> {
  const one = story();
  one.kept('a');
  one.firstByte('a', 2);
  one.fresh('slow', 2);
  one.kept('b');
  one.whole('b');
  return one;
}

describe('that one socket more than have run at once was overtaken', () => {
  it('is counted each time: there are likely no more workers', () => {
    const { workers, fresh, kept, firstByte, whole } = story();
    fresh('a', 1);
    firstByte('a', 1);
    whole('a');
    fresh('waits', 2);
    for (const name of ['b', 'c']) {
      kept(name);
      whole(name);
    }
    expect(workers.oneMoreOvertaken).toBe(2);
  });

  it('is not said of one that has its worker', () => {
    const { workers } = passedByLater();
    expect(workers.oneMoreOvertaken).toBe(0);
  });

  it('is not said where no more are open than have run at once', () => {
    const { workers } = overtakenAmongAsMany();
    expect(workers.oneMoreOvertaken).toBe(0);
  });
});

describe('php-fpm has no more workers for now', () => {
  /** One has run, one more waits, and what was sent later is whole. */
  function overtaken(): ReturnType<typeof story> {
    const one = story();
    const { fresh, kept, firstByte, whole } = one;
    fresh('a', 1);
    firstByte('a', 1);
    whole('a');
    fresh('waits', 2);
    kept('b');
    whole('b');
    return one;
  }

  it('once one socket more than have run at once was overtaken, until the next tick', () => {
    const { workers } = overtaken();
    expect(workers.isFull).toBe(true);
    workers.onTick();
    expect(workers.isFull).toBe(false);
  });

  it('not while none was overtaken', () => {
    const { workers, fresh, kept, firstByte, whole } = story();
    expect(workers.isFull).toBe(false);
    fresh('a', 1);
    firstByte('a', 1);
    kept('b');
    fresh('waits', 2);
    whole('b');
    expect(workers.isFull).toBe(false);
  });

  it('not where none had run as it was opened: the first all wait for workers to wake up', () => {
    const { workers, fresh, kept, firstByte, whole } = story();
    fresh('a', 1);
    fresh('b', 2);
    firstByte('a', 1);
    kept('c');
    whole('c');
    expect([workers.isFull, workers.mustYield(1)]).toEqual([false, false]);
    kept('d');
    whole('d');
    expect([workers.isFull, workers.mustYield(1)]).toEqual([false, true]);
  });

  it('not again for the same one, whose script may be slow', () => {
    const { workers, kept, whole } = overtaken();
    workers.onTick();
    kept('c');
    whole('c');
    expect(workers.isFull).toBe(false);
  });

  it('not where no more are open than have run at once: one may take its time to wake up', () => {
    const { workers } = overtakenAmongAsMany();
    expect(workers.isFull).toBe(false);
  });

  it('not where it has its worker, as a later one was answered', () => {
    const { workers } = passedByLater();
    expect(workers.isFull).toBe(false);
  });

  it('no longer once more run at once than before', () => {
    const { workers, firstByte } = overtaken();
    firstByte('b', 1);
    expect(workers.isFull).toBe(true);
    firstByte('waits', 2);
    expect([workers.isFull, workers.found]).toEqual([false, 2]);
  });
});

describe('a fresh socket', () => {
  it('is passed by later ones that are answered before it, and not by earlier ones or by those that are kept', () => {
    const { workers, fresh, kept, firstByte, gone, passedBy } = story();
    fresh('early', 1);
    fresh('a', 2);
    fresh('b', 3);
    fresh('c', 4);
    firstByte('early', 1);
    expect(passedBy('a')).toBe(0);
    firstByte('b', 2);
    kept('early');
    firstByte('early', 2);
    expect([passedBy('a'), passedBy('c')]).toEqual([1, 0]);
    firstByte('c', 3);
    expect(passedBy('a')).toBe(2);
    gone('a');
    expect([passedBy('a'), workers.waiting]).toEqual([0, 0]);
  });
});
