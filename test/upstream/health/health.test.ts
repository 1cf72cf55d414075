import { describe, expect, it } from 'vitest';
import type { FailureKind } from '../../../src/upstream/health/failure.ts';
import { type Failure, Health } from '../../../src/upstream/health/health.ts';

/** A failure of a request that was sent at `startedAt`. */
function of(kind: FailureKind, startedAt: number, others = 0): Failure {
  return { kind, startedAt, others, message: `${kind} of ${startedAt}` };
}

describe('a server is left alone', () => {
  it('after maxFails failures within failTimeout, for as long, and says why', () => {
    const health = new Health(2, 1000);
    health.failed(of('unreachable', 0), 0);
    expect(health.state(1)).toBe('up');
    health.failed(of('unreachable', 500), 500);
    expect(health.state(501)).toBe('failed');
    expect(health.why).toBe('unreachable of 500');
    expect(health.state(1499)).toBe('failed');
    expect(health.state(1500)).toBe('trial');
  });

  it('not for failures that lie further apart, nor where an answer came between', () => {
    const apart = new Health(2, 1000);
    apart.failed(of('unreachable', 0), 0);
    apart.failed(of('unreachable', 1001), 1001);
    expect(apart.state(1002)).toBe('up');
    const between = new Health(2, 1000);
    between.failed(of('unreachable', 0), 0);
    between.answered(1, 2);
    between.failed(of('unreachable', 3), 3);
    expect(between.state(4)).toBe('up');
  });

  it('never, with maxFails 0', () => {
    const health = new Health(0, 1000);
    for (let i = 0; i < 9; i++) health.failed(of('unreachable', i), i);
    expect(health.state(10)).toBe('up');
  });

  it('for longer each time that it fails its trial, up to six times failTimeout', () => {
    const health = new Health(1, 1000);
    const spans: number[] = [];
    for (let i = 0, now = 0; i < 8; i++, now = health.until) {
      expect(health.state(now)).toBe(i === 0 ? 'up' : 'trial');
      health.failed(of('unreachable', now), now);
      spans.push(health.until - now);
    }
    expect(spans).toEqual([1000, 2000, 3000, 4000, 5000, 6000, 6000, 6000]);
  });

  it('no longer, once a request of its trial is answered; one from before says nothing', () => {
    const health = new Health(1, 1000);
    health.failed(of('unreachable', 10), 10);
    health.answered(5, 20);
    expect(health.state(21)).toBe('failed');
    expect(health.state(1010)).toBe('trial');
    health.answered(1011, 1020);
    expect(health.state(1021)).toBe('up');
    expect(health.recoveredAt).toBe(1020);
    expect(health.why).toBe('');
  });

  it('for as long as it was first, where the failures before lie long behind', () => {
    const health = new Health(1, 1000);
    health.failed(of('unreachable', 0), 0);
    health.failed(of('unreachable', 1000), 1000);
    health.answered(3001, 3002);
    health.failed(of('unreachable', 20_000), 20_000);
    expect(health.until).toBe(21_000);
  });
});

describe('a silence', () => {
  it('counts where the server has answered nobody since', () => {
    const health = new Health(1, 1000);
    health.answered(0, 50);
    expect(health.failed(of('silent', 100), 300)).toBe(true);
    expect(health.state(301)).toBe('failed');
  });

  it("is the script's own where others on that server were answered meanwhile", () => {
    const health = new Health(1, 1000);
    health.answered(120, 150);
    expect(health.failed(of('silent', 100), 300)).toBe(false);
    expect(health.state(301)).toBe('up');
  });
});

describe('a connection that died', () => {
  it('counts the second time, where nobody was answered between', () => {
    const health = new Health(1, 1000);
    expect(health.failed(of('died', 0), 10)).toBe(false);
    expect(health.failed(of('died', 11), 20)).toBe(true);
    expect(health.state(21)).toBe('failed');
  });

  it('does not count again and again, where one script kills its worker and others are answered', () => {
    const health = new Health(1, 1000);
    for (let now = 0; now < 100; now += 10) {
      expect(health.failed(of('died', now), now + 1)).toBe(false);
      health.answered(now + 2, now + 3);
    }
    expect(health.state(101)).toBe('up');
  });

  it('waits for those that run beside it: they are told apart from the killers by their answers', () => {
    const health = new Health(1, 1000);
    // Four killers among eight that run at once.
    expect(health.failed(of('died', 0, 7), 1)).toBe(false);
    expect(health.failed(of('died', 0, 6), 1)).toBe(false);
    expect(health.failed(of('died', 0, 5), 1)).toBe(false);
    expect(health.failed(of('died', 0, 4), 1)).toBe(false);
    health.answered(0, 20);
    expect(health.failed(of('died', 0, 3), 21)).toBe(false);
    expect(health.state(21)).toBe('up');
  });

  it('counts where all of those have died as well', () => {
    const health = new Health(1, 1000);
    const counted = [3, 2, 1, 3, 3].map((others) => health.failed(of('died', 0, others), 1));
    expect(counted).toEqual([false, false, false, true, true]);
  });
});

describe('a server that says it is busy', () => {
  it('is spared for a moment, each time for longer, and has not failed', () => {
    const health = new Health(1, 1000);
    expect(health.failed(of('busy', 0), 0)).toBe(false);
    expect([health.state(49), health.state(50)]).toEqual(['busy', 'up']);
    health.failed(of('busy', 50), 50);
    expect([health.state(149), health.state(150)]).toEqual(['busy', 'up']);
    health.answered(151, 160);
    health.failed(of('busy', 200), 200);
    expect([health.state(249), health.state(250)]).toEqual(['busy', 'up']);
  });
});

describe('a server that must show that it is back', () => {
  it('is left alone until a check has found it well, and then gets its trial at once', () => {
    const health = new Health(1, 1000);
    health.failed(of('unreachable', 0), 0);
    expect([health.state(5000, true), health.state(5000, false)]).toEqual(['failed', 'trial']);
    health.hasShown(5001);
    expect(health.state(5001, true)).toBe('trial');
  });

  it('gets it before failTimeout is over, too; and after a trial that failed must show it anew', () => {
    const health = new Health(1, 10_000);
    health.failed(of('unreachable', 0), 0);
    health.hasShown(500);
    expect(health.state(500, true)).toBe('trial');
    health.failed(of('silent', 501), 600);
    expect([health.state(600, true), health.state(60_000, true)]).toEqual(['failed', 'failed']);
  });
});
