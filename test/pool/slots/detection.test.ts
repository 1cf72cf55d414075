/** A look at what the server is, which had to give its place to a request. */
import { expect, it } from 'vitest';
import { Clock } from '../../../src/connection/clock.ts';
import { noneClosed } from '../../../src/connection/reuse.ts';
import type { Connected } from '../../../src/connection/socket/connect.ts';
import { BackendKind } from '../../../src/pool/learned/backend-kind.ts';
import { Detection } from '../../../src/pool/slots/detection.ts';
import { Slot } from '../../../src/pool/slots/slot.ts';
import { Loop, VirtualTime } from '../../sim/time.ts';

it('of a pool that has just begun, is made up for once it may take the place of a connection that was given back', async () => {
  const time = new VirtualTime();
  const backend = new BackendKind({ backend: 'auto', proxied: false }, 'here', 0);
  backend.onValues(new Map([['FCGI_MPXS_CONNS', '0']]));
  const detection = new Detection(
    {
      learned: { backend, backendAt: () => backend, waited: () => {} },
      clock: new Clock(time.timersOf(new Loop())),
      target: { transport: 'unix', path: 'here', name: 'here' },
      open: new Set(),
      closed: noneClosed(),
    },
    false,
  );
  const dial = (stop: AbortSignal): Promise<Connected> =>
    new Promise((_, reject) => stop.addEventListener('abort', () => reject(stop.reason)));
  const options = { dial, timeout: 500, stop: new AbortController().signal, countsSilence: true };
  time.now = 45;
  detection.runBeside(options);
  detection.giveWay();
  // Whoever comes meanwhile gets its result: it has found nothing out.
  expect(await detection.run(new Slot(), { ...options, stop: AbortSignal.abort() })).toBe(false);
  expect([detection.gaveWay, detection.isRunning]).toEqual([true, false]);
  expect([46, 100].map((now) => backend.isProxyCheckWorthwhile(now, true))).toEqual([false, true]);
});
