import { describe, expect, it } from 'vitest';
import { type Progress, Silence } from '../../../src/upstream/health/silence.ts';

const NEVER = Number.NEGATIVE_INFINITY;

function progress(unanswered: number, oldest: number, answeredAt = NEVER): Progress {
  return { unanswered, oldest, answeredAt };
}

describe('a server is suspect', () => {
  it('where two of its requests wait, and by the pace of the others six answers were due', () => {
    const silence = new Silence();
    silence.onTick(progress(2, 100), 90, 0, 125);
    silence.onTick(progress(2, 100), 90, 5, 200);
    expect(silence.suspect).toBe(false);
    silence.onTick(progress(2, 100), 90, 6, 225);
    expect(silence.suspect).toBe(true);
    expect(silence.duration(225)).toBe(125);
  });

  it('no longer, once it answers', () => {
    const silence = new Silence();
    silence.onTick(progress(3, 100), 90, 0, 125);
    silence.onTick(progress(3, 100), 90, 50, 225);
    expect(silence.suspect).toBe(true);
    silence.onTick(progress(2, 100), 230, 55, 250);
    expect(silence.suspect).toBe(false);
    silence.onTick(progress(3, 100, 270), 230, 70, 275);
    expect(silence.suspect).toBe(false);
  });

  it.each([
    ['one request waits: it may be a slow script', progress(1, 100), 90, 100],
    ['nobody else was answered: all are slow', progress(5, 100), 90, 0],
    ['it has no request', progress(0, Number.POSITIVE_INFINITY), 90, 100],
  ])('not where %s', (_, seen, answeredAt, due) => {
    const silence = new Silence();
    silence.onTick(seen, answeredAt, 0, 125);
    silence.onTick(seen, answeredAt, due, 1000);
    expect(silence.suspect).toBe(false);
  });
});
