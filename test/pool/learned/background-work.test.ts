import { describe, expect, it } from 'vitest';
import { BackgroundWork } from '../../../src/pool/learned/background-work.ts';

const MINUTE = 60_000;

/** A page that answers in 5 ms has been seen often enough. */
function known(): BackgroundWork {
  const tails = new BackgroundWork();
  for (let i = 0; i < 5; i++) tails.answered('/page.php', null, 5);
  return tails;
}

describe('a script behind which answers are late', () => {
  it('is no longer kept, from the first late answer on, for a minute', () => {
    const tails = known();
    expect(tails.silent('/page.php', '/tail.php', 160, 1000)).toBe(true);
    expect(tails.keeps('/tail.php', 1001)).toBe(false);
    expect(tails.keeps('/tail.php', 1000 + MINUTE - 1)).toBe(false);
    expect(tails.keeps('/tail.php', 1000 + MINUTE)).toBe(true);
  });

  it('is not kept for twice as long the second time', () => {
    const tails = known();
    tails.silent('/page.php', '/tail.php', 160, 0);
    tails.silent('/page.php', '/tail.php', 160, MINUTE);
    expect(tails.keeps('/tail.php', 2 * MINUTE + 1)).toBe(false);
    expect(tails.keeps('/tail.php', 3 * MINUTE)).toBe(true);
  });

  it('does not take the others with it', () => {
    const tails = known();
    tails.silent('/page.php', '/tail.php', 160, 0);
    expect(tails.keeps('/page.php', 1)).toBe(true);
    expect(tails.keeps('/unheard-of.php', 1)).toBe(true);
  });

  it('is forgiven for one stall among many answers in time, but not for one in ten', () => {
    const tails = known();
    for (let i = 0; i < 100; i++) tails.answered('/page.php', '/page.php', 5);
    for (let stall = 1; stall <= 9; stall++) tails.silent('/page.php', '/page.php', 500, stall);
    expect(tails.keeps('/page.php', 10)).toBe(true);
    tails.silent('/page.php', '/page.php', 500, 10);
    expect(tails.keeps('/page.php', 11)).toBe(false);
  });
});

describe('an answer', () => {
  it.each([
    ['within ten times the usual', 50, false],
    ['not a tenth of a second beyond that', 149, false],
    ['beyond both', 151, true],
  ])('%s: %d ms, late %s', (_, waited, late) => {
    expect(known().silent('/page.php', '/tail.php', waited, 0)).toBe(late);
  });

  it('of a script that is hardly known says nothing of the one before', () => {
    const tails = new BackgroundWork();
    tails.answered('/new.php', null, 5);
    expect(tails.silent('/new.php', '/tail.php', 10_000, 0)).toBe(false);
  });
});

it('scripts are forgotten beyond a number, so that made-up names fill no memory', () => {
  const tails = known();
  for (let i = 0; i < 600; i++) tails.answered(`/made-up-${i}.php`, null, 5);
  expect(tails.silent('/page.php', '/tail.php', 10_000, 0)).toBe(false);
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
