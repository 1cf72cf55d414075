import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { AbortListeners } from '../../../src/pool/queue/abort-listeners.ts';

function request(): { reasons: unknown[]; onSignal(reason: unknown): void } {
  const reasons: unknown[] = [];
  return { reasons, onSignal: (reason) => void reasons.push(reason) };
}

function listening({ signal }: AbortController): number {
  return getEventListeners(signal, 'abort').length;
}

it('one signal has one listener, which goes with the last of its requests', () => {
  const listeners = new AbortListeners();
  const controller = new AbortController();
  const [a, b] = [request(), request()];
  listeners.add(controller.signal, a);
  listeners.add(controller.signal, b);
  expect(listening(controller)).toBe(1);
  listeners.remove(controller.signal, a);
  expect(listening(controller)).toBe(1);
  listeners.remove(controller.signal, b);
  expect(listening(controller)).toBe(0);
});

it('all who are left are told the reason of their own signal, also where they leave at that', () => {
  const listeners = new AbortListeners();
  const [mine, other] = [new AbortController(), new AbortController()];
  const [a, b, c, gone] = [request(), request(), request(), request()];
  const leaving = {
    onSignal(reason: unknown): void {
      a.onSignal(reason);
      listeners.remove(mine.signal, leaving);
    },
  };
  listeners.add(mine.signal, leaving);
  listeners.add(mine.signal, gone);
  listeners.add(mine.signal, b);
  listeners.add(other.signal, c);
  listeners.remove(mine.signal, gone);
  mine.abort('enough');
  expect([a.reasons, b.reasons, c.reasons, gone.reasons]).toEqual([['enough'], ['enough'], [], []]);
});

it('to leave twice, or without having come, takes nobody else away', () => {
  const listeners = new AbortListeners();
  const controller = new AbortController();
  const [a, b] = [request(), request()];
  listeners.remove(controller.signal, a);
  listeners.add(controller.signal, a);
  listeners.remove(controller.signal, b);
  listeners.remove(controller.signal, b);
  expect(listening(controller)).toBe(1);
  controller.abort('over');
  expect([a.reasons, b.reasons]).toEqual([['over'], []]);
});
