import { describe, expect, it } from 'vitest';
import { ConnectError, SocketError } from '../../../src/errors.ts';
import { Refusals } from '../../../src/upstream/health/refusals.ts';

const REFUSED = new ConnectError('FCGI_ERR_CONNECT', 'refused');
/** The middle of the jitter: the pause is as long as it is meant to be. */
const MIDDLE = 0.5;

function refuse(refusals: Refusals, now: number): void {
  refusals.failed(REFUSED, 'unreachable', now, now, MIDDLE);
}

/** ms, looked at once a ms. */
function pauseOf(refusals: Refusals, from: number): number {
  let now = from;
  while (refusals.isPausing) refusals.refresh(++now);
  return now - from;
}

describe('a server that refuses', () => {
  it('is left alone for 10, 20, 40, 80 ms, and then 100 each time', () => {
    const refusals = new Refusals();
    let now = 0;
    const pauses = Array.from({ length: 6 }, () => {
      refuse(refusals, now);
      const pause = pauseOf(refusals, now);
      now += pause;
      return pause;
    });
    expect(pauses).toEqual([10, 20, 40, 80, 100, 100]);
  });

  it('has refused once where many were dialled together', () => {
    const refusals = new Refusals();
    for (let i = 0; i < 8; i++) refuse(refusals, 0);
    expect(pauseOf(refusals, 0)).toBe(10);
  });

  it('is given one request in each pause', () => {
    const refusals = new Refusals();
    refuse(refusals, 0);
    pauseOf(refusals, 0);
    refusals.tried(10, MIDDLE);
    expect(refusals.isPausing).toBe(true);
    refuse(refusals, 11);
    expect(pauseOf(refusals, 11)).toBe(20);
  });

  it('has refused since the first of them, by the clock of the pool', () => {
    const refusals = new Refusals();
    refusals.failed(REFUSED, 'unreachable', 1_000, 1, MIDDLE);
    refusals.failed(REFUSED, 'busy', 2_000, 2, MIDDLE);
    expect(refusals).toMatchObject({ latest: REFUSED, since: 1 });
  });

  it.each([
    ['answers', (refusals: Refusals) => refusals.reached()],
    [
      'fails a request that it has let in',
      (refusals: Refusals) =>
        refusals.failed(new SocketError('FCGI_ERR_SOCKET_RESET', ''), 'died', 1, 1, MIDDLE),
    ],
  ])('is like any other once it %s', (_, then) => {
    const refusals = new Refusals();
    refuse(refusals, 0);
    then(refusals);
    expect(refusals).toMatchObject({ latest: null, since: Number.POSITIVE_INFINITY, isPausing: false });
    refuse(refusals, 50);
    expect(pauseOf(refusals, 50)).toBe(10);
  });

  it('has not refused where this machine is short of something', () => {
    const refusals = new Refusals();
    refusals.failed(REFUSED, 'none', 0, 0, MIDDLE);
    expect(refusals).toMatchObject({ latest: null, isPausing: false });
  });
});
