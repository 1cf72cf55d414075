import { describe, expect, it } from 'vitest';
import { BackgroundWork } from '../../../src/pool/learned/background-work.ts';

/** A page that answers in 5 ms has been seen often enough, and its worker comes back at once. */
function known(): BackgroundWork {
  const work = new BackgroundWork();
  for (let i = 0; i < 5; i++) work.answered('/page.php', 5);
  for (let i = 0; i < 2; i++) work.cameBack('/page.php', 1);
  return work;
}

function timesAtOnce(work: BackgroundWork, script: string, times: number): boolean {
  for (let i = 0; i < times; i++) work.cameBack(script, 50);
  return work.isUnsure(script);
}

describe('a connection is asked whether its worker is back', () => {
  it('behind a script that is not known', () => {
    expect(known().isUnsure('/new.php')).toBe(true);
  });

  it('until the worker has come back at once twice', () => {
    const work = new BackgroundWork();
    expect(timesAtOnce(work, '/a.php', 1)).toBe(true);
    expect(timesAtOnce(work, '/a.php', 1)).toBe(false);
  });

  it('behind one that came back late, until it has come back at once twenty times', () => {
    const work = known();
    work.cameBack('/page.php', 51);
    expect(timesAtOnce(work, '/page.php', 19)).toBe(true);
    expect(timesAtOnce(work, '/page.php', 1)).toBe(false);
  });

  it('behind one that made another wait for far longer than usual', () => {
    const work = known();
    expect(timesAtOnce(work, '/tail.php', 2)).toBe(false);
    expect(work.silent('/page.php', '/tail.php', 160)).toBe(true);
    expect(work.isUnsure('/tail.php')).toBe(true);
    expect(work.isUnsure('/page.php')).toBe(false);
  });
});

describe('an answer', () => {
  it.each([
    ['within ten times the usual', 50, false],
    ['not a tenth of a second beyond that', 149, false],
    ['beyond both', 151, true],
  ])('%s: %d ms, late %s', (_, waited, late) => {
    expect(known().silent('/page.php', '/tail.php', waited)).toBe(late);
  });

  it('of a script that is hardly known says nothing of the one before', () => {
    const work = new BackgroundWork();
    work.answered('/new.php', 5);
    expect(work.silent('/new.php', '/tail.php', 10_000)).toBe(false);
  });
});

describe('the time that an abandoned script is given', () => {
  it('is a second where it is not known, else four times the usual and a tenth of a second', () => {
    expect(new BackgroundWork().budget('/page.php')).toBe(1_000);
    expect(known().budget('/page.php')).toBeCloseTo(120);
  });

  it('is ten seconds at the most', () => {
    const work = new BackgroundWork();
    work.answered('/slow.php', 60_000);
    expect(work.budget('/slow.php')).toBe(10_000);
  });
});

it('scripts are forgotten beyond a number, so that made-up names fill no memory', () => {
  const work = known();
  for (let i = 0; i < 600; i++) work.answered(`/made-up-${i}.php`, 5);
  expect(work.silent('/page.php', '/tail.php', 10_000)).toBe(false);
});

describe('how long a script may take whose caller has left', () => {
  it('is a second where it is not known, else four times the usual and a tenth of a second, ten seconds at most', () => {
    const tails = known();
    expect(tails.budget('/unheard-of.php')).toBe(1_000);
    expect(tails.budget('/page.php')).toBe(120);
    tails.answered('/slow.php', null, 5_000);
    expect(tails.budget('/slow.php')).toBe(10_000);
  });

  it('is a second for one that was blamed before it had an answer of its own', () => {
    const tails = known();
    tails.silent('/page.php', '/tail.php', 160, 0);
    expect(tails.budget('/tail.php')).toBe(1_000);
  });
});

describe('a late answer', () => {
  it('is one from ten times the usual and a tenth of a second on, once three have been seen', () => {
    const tails = new BackgroundWork();
    for (let i = 0; i < 2; i++) tails.answered('/page.php', null, 5);
    expect(tails.silent('/page.php', '/tail.php', 151, 0)).toBe(false);
    tails.answered('/page.php', null, 5);
    expect(tails.silent('/page.php', '/tail.php', 150, 0)).toBe(false);
    expect(tails.silent('/page.php', '/tail.php', 151, 0)).toBe(true);
  });

  it('weighs less where those behind the same script came in time, whatever script they were of', () => {
    const tails = known();
    tails.answered('/tail.php', null, 5);
    for (let i = 0; i < 100; i++) tails.answered('/page.php', '/tail.php', 5);
    tails.silent('/page.php', '/tail.php', 500, 0);
    expect(tails.keeps('/tail.php', 1)).toBe(true);
    tails.silent('/page.php', '/page.php', 500, 0);
    expect(tails.keeps('/page.php', 1)).toBe(false);
  });
});

it('tells that some script has been blamed, so that nobody needs to ask before', () => {
  const tails = known();
  expect(tails.anyBlamed).toBe(false);
  tails.silent('/page.php', '/tail.php', 160, 0);
  expect(tails.anyBlamed).toBe(true);
});

it('remembers 512 scripts, and forgets the one that it met first', () => {
  const tails = known();
  for (let i = 1; i < 512; i++) tails.answered(`/${i}.php`, null, 5);
  expect(tails.budget('/page.php')).toBe(120);
  tails.answered('/one-more.php', null, 5);
  expect(tails.budget('/page.php')).toBe(1_000);
  expect(tails.budget('/1.php')).toBe(120);
});
