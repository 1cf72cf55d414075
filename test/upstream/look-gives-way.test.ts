/** A look for a proxy has given its place to a request: what is lost before it is over is 'unknown', so it does not wait for long. */
import { expect, it } from 'vitest';
import { Pool, Upstream } from '../../src/index.ts';
import { startFakeFpm } from '../../src/testing/index.ts';
import { waitFor } from '../fpm/support/index.ts';
import { GET, gate, HEAD, text } from '../pool/support.ts';
import { askAtOnce, askInTurn } from './support.ts';

const kept = { keepaliveTime: 0, keepaliveTimeout: 0, connections: 2 };

it('it begins anew behind the next answer, and only a look that came to its end is counted as one', async () => {
  const occupied = gate();
  await using fpm = await startFakeFpm({
    transport: 'tcp',
    script: async ({ params }, response) => {
      if (params['KIND'] === 'occupant') await occupied.opened;
      await response.stdout(`${HEAD}a`);
    },
  });
  await using upstream = new Upstream([fpm.address], kept);
  await using neighbour = new Pool(fpm.address, { keepalive: 0 });
  const other = text(neighbour, { params: { ...GET, KIND: 'occupant' } });
  await fpm.executed(1);
  // The kept connection has one worker, the neighbour the other: the look waits until it must go.
  expect(await askInTurn(upstream, 2)).toEqual(['a', 'a']);
  await waitFor(() => fpm.waiting === 1);
  const answers = askAtOnce(upstream, 2);
  await waitFor(() => upstream.stats.closed['fresh-needed'] > 0);
  expect(upstream.stats.closed.examined).toBe(0);
  occupied.open();
  expect([await other, ...(await answers)]).toEqual(['a', 'a', 'a']);
  // On two connections, and no other request is sent meanwhile.
  await waitFor(() => upstream.stats.closed.examined === 2);
});
