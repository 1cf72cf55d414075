import { describe, expect, it } from 'vitest';
import { Answers, BackgroundWork } from '../../../src/pool/learned/background-work.ts';

/** A page that answers in 5 ms has been seen often enough, and its worker comes back at once. */
function known(): BackgroundWork {
  const work = new BackgroundWork(new Answers());
  for (let i = 0; i < 5; i++) work.answered('/page.php', 5);
  for (let i = 0; i < 2; i++) work.workerReturned('/page.php', 0, 0.5, 0);
  return work;
}

/** ms in which its worker is back so many times, where a connect takes `connect`. Must the next one be asked? */
function timesBack(work: BackgroundWork, script: string, times: number, took: number, connect = 0): boolean {
  for (let i = 0; i < times; i++) work.workerReturned(script, 0, took, connect);
  return work.mustCheck(script);
}

describe('a connection is asked whether its worker is back', () => {
  it('behind a script that is not known', () => {
    expect(known().mustCheck('/new.php')).toBe(true);
  });

  it.each([
    ['half a millisecond', 0.5, 0],
    ['half a millisecond beyond a connect', 2.5, 2],
  ])('until the worker has come back twice within %s', (_, took, connect) => {
    const work = new BackgroundWork(new Answers());
    expect(timesBack(work, '/a.php', 1, took, connect)).toBe(true);
    expect(timesBack(work, '/a.php', 1, took, connect)).toBe(false);
  });

  it.each([
    ['half a millisecond', 0.51, 0],
    ['half a millisecond beyond a connect', 2.51, 2],
    ['that, and at the last moment', 75, 0],
  ])(
    'until it has come back 200 times, where it takes more than %s: it may have asked another process for a page',
    (_, took, connect) => {
      const work = new BackgroundWork(new Answers());
      expect(timesBack(work, '/a.php', 199, took, connect)).toBe(true);
      expect(timesBack(work, '/a.php', 1, took, connect)).toBe(false);
    },
  );

  it('behind one that came back late, until it has come back at once twenty times, and twice as often each time it is late again', () => {
    const work = known();
    for (const times of [20, 40, 80, 160, 320, 320]) {
      work.workerReturned('/page.php', 0, 76, 0);
      expect(timesBack(work, '/page.php', times - 1, 0.5)).toBe(true);
      expect(timesBack(work, '/page.php', 1, 0.5)).toBe(false);
    }
  });

  it('however quickly it came back, if a request that came later was answered before: the script may have asked for that', () => {
    const answers = new Answers();
    const work = new BackgroundWork(answers);
    answers.served(11);
    for (let i = 0; i < 30; i++) work.workerReturned('/asks-itself.php', 10, 10.5, 0);
    expect(work.mustCheck('/asks-itself.php')).toBe(true);
    answers.served(9);
    for (let i = 0; i < 2; i++) work.workerReturned('/asks-itself.php', 11, 11.5, 0);
    expect(work.mustCheck('/asks-itself.php')).toBe(false);
  });

  it('and is late behind one whose worker came back late the last time', () => {
    const work = known();
    expect(work.isLate('/new.php')).toBe(false);
    work.answered('/new.php', 5);
    expect(work.isLate('/new.php')).toBe(false);
    expect(work.isLate('/page.php')).toBe(false);
    work.workerReturned('/page.php', 0, 76, 0);
    expect(work.isLate('/page.php')).toBe(true);
    work.workerReturned('/page.php', 0, 75, 0);
    expect(work.isLate('/page.php')).toBe(false);
  });

  it('behind one that made another wait for far longer than usual', () => {
    const work = known();
    expect(timesBack(work, '/tail.php', 2, 0.5)).toBe(false);
    expect(work.silent('/page.php', '/tail.php', 560)).toBe(true);
    expect(work.mustCheck('/tail.php')).toBe(true);
    expect(work.mustCheck('/page.php')).toBe(false);
  });
});

describe('an answer', () => {
  it.each([
    ['within ten times the usual', 50, false],
    ['not half a second beyond that', 550, false],
    ['beyond both', 551, true],
  ])('%s: %d ms, late %s', (_, waited, late) => {
    expect(known().silent('/page.php', '/tail.php', waited)).toBe(late);
  });

  it('of a script that is hardly known says nothing of the one before', () => {
    const work = new BackgroundWork(new Answers());
    for (let i = 0; i < 2; i++) work.answered('/new.php', 5);
    expect(work.silent('/new.php', '/tail.php', 10_000)).toBe(false);
    work.answered('/new.php', 5);
    expect(work.silent('/new.php', '/tail.php', 10_000)).toBe(true);
  });
});

describe('the time that an abandoned script is given', () => {
  it('is a second where it is not known, else four times the usual and a tenth of a second', () => {
    expect(new BackgroundWork(new Answers()).budget('/page.php')).toBe(1_000);
    expect(known().budget('/page.php')).toBeCloseTo(120);
  });

  it.each([
    [[10, 20], 15],
    // A script of late takes longer than it did.
    [[...Array<number>(100).fill(10), 26], 11],
  ])('is told by the mean of the latest: %j', (times, usual) => {
    const work = new BackgroundWork(new Answers());
    for (const took of times) work.answered('/page.php', took);
    expect(work.budget('/page.php')).toBeCloseTo(4 * usual + 100);
  });

  it('is ten seconds at the most', () => {
    const work = new BackgroundWork(new Answers());
    work.answered('/slow.php', 60_000);
    expect(work.budget('/slow.php')).toBe(10_000);
  });
});

describe('names that are made up fill no memory', () => {
  it.each([
    ['512 scripts are remembered', 511, true],
    ['one more, and the first is forgotten', 512, false],
  ])('%s', (_, others, remembered) => {
    const work = known();
    for (let i = 0; i < others; i++) work.answered(`/made-up-${i}.php`, 5);
    expect(work.silent('/page.php', '/tail.php', 10_000)).toBe(remembered);
  });
});
