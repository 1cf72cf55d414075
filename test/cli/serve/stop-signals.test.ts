/** What a second signal means: that somebody insists, or the first one again. */
import { expect, it } from 'vitest';
import type { StopSignal } from '../../../src/cli/io.ts';
import { StopSignals } from '../../../src/cli/serve/stop-signals.ts';
import { FakeIo } from '../support/io.ts';

it.each<[string, readonly (readonly [StopSignal, number])[], number | null]>([
  ['one', [['SIGTERM', 0]], null],
  [
    'the same within 200 ms',
    [
      ['SIGINT', 0],
      ['SIGINT', 60],
    ],
    null,
  ],
  [
    'the same later',
    [
      ['SIGINT', 0],
      ['SIGINT', 250],
    ],
    130,
  ],
  [
    'the same again and again, and once more later',
    [
      ['SIGINT', 0],
      ['SIGINT', 5],
      ['SIGINT', 150],
      ['SIGINT', 300],
    ],
    130,
  ],
  [
    'another one',
    [
      ['SIGINT', 0],
      ['SIGTERM', 1],
    ],
    143,
  ],
  [
    'another one behind a repeated one',
    [
      ['SIGTERM', 0],
      ['SIGTERM', 1],
      ['SIGHUP', 2],
    ],
    129,
  ],
  [
    'SIGQUIT twice, the second time later',
    [
      ['SIGQUIT', 0],
      ['SIGQUIT', 250],
    ],
    131,
  ],
])('%s: %j ends serve with %s', async (_, signals, status) => {
  const io = new FakeIo('/');
  let now = 1000;
  const stop = new StopSignals(io, () => now);
  for (const [signal, at] of signals) {
    now = 1000 + at;
    io.signal(signal);
  }
  await stop.first;
  expect(await Promise.race([stop.second, Promise.resolve(null)])).toBe(status);
  stop.forget();
  expect(io.listeners).toBe(0);
});
