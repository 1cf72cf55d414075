/**
 * A request is lost whose fate hangs on what the server is, while that is being found out already, on a connection for which no worker is
 * free. What nobody waits for is given up soon; what a request waits for is not.
 */
import { expect, it } from 'vitest';
import { Pool, Upstream } from '../../src/index.ts';
import { type FakeFpm, startFakeFpm } from '../../src/testing/index.ts';
import { waitFor } from '../fpm/support/index.ts';
import { type Gate, GET, gate, HEAD } from '../pool/support.ts';
import { answering, ask } from './support.ts';

interface Scene extends AsyncDisposable {
  readonly fpm: FakeFpm;
  /** Lets all go on that keep its workers busy. */
  readonly occupied: Gate;
  /** The first two requests of an upstream, and a third that its worker leaves: PHP has not run it. */
  lose(upstream: Upstream): Promise<{ readonly lost: Promise<string> }>;
}

async function scene(): Promise<Scene> {
  const occupied = gate();
  const first = gate();
  let isLost = false;
  const fpm = await startFakeFpm({
    workers: 2,
    script: async ({ params }, response) => {
      const kind = params['KIND'];
      if (kind === 'occupant') await occupied.opened;
      if (kind === 'first') await first.opened;
      if (kind === 'third' && !isLost) {
        isLost = true;
        await response.close();
      } else await response.stdout(`${HEAD}${kind}`);
    },
  });
  const neighbour = new Pool(fpm.address, { keepalive: 0, connections: 2 });
  const withKind = (kind: string): object => ({ params: { ...GET, KIND: kind } });
  return {
    fpm,
    occupied,
    async lose(upstream) {
      const begun = ask(upstream, withKind('first'));
      await fpm.executed(1);
      // One has the other worker, one waits for the next that comes free.
      const others = [1, 2].map(() => neighbour.request({ params: { ...GET, KIND: 'occupant' } }));
      for (const other of others) other.then(({ body }) => body.dump()).catch(() => undefined);
      await fpm.executed(2);
      await waitFor(() => fpm.waiting === 1);
      first.open();
      expect(await begun).toBe('first');
      expect(await ask(upstream, withKind('second'))).toBe('second');
      await waitFor(() => fpm.waiting === 2);
      const lost = ask(upstream, withKind('third'));
      await waitFor(() => isLost && upstream.stats.closed.recycled === 1);
      return { lost };
    },
    async [Symbol.asyncDispose]() {
      occupied.open();
      await neighbour.close();
      await fpm.stop();
    },
  };
}

const kept = { keepaliveTime: 0, keepaliveTimeout: 0, connections: 2 };

it('the server is taken out of the list meanwhile: it is asked all the same, and another server gets the request', async () => {
  await using on = await scene();
  await using other = await answering('other');
  await using upstream = new Upstream([on.fpm.address], kept);
  const { lost } = await on.lose(upstream);
  upstream.update([other.address]);
  on.occupied.open();
  expect(await lost).toBe('other');
});

it('no worker comes free while nobody waits for the answer: whoever does, waits longer, and is sent again', async () => {
  await using on = await scene();
  await using upstream = new Upstream([on.fpm.address], kept);
  const { lost } = await on.lose(upstream);
  await waitFor(() => upstream.stats.closed.examined > 0);
  on.occupied.open();
  expect(await lost).toBe('third');
});
