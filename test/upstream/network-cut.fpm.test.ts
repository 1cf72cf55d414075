/** Three real PHP-FPM under load, and the network to one of them loses all that is sent there. */
import { expect, it } from 'vitest';
import { Upstream } from '../../src/index.ts';
import { waitFor } from '../fpm/support/index.ts';
import { startLag } from '../fpm/support/lag.ts';
import { broken, Load, startFarm } from './load.ts';
import { stateOf } from './support.ts';

it('the network cut to one: what was under way times out, the others answer, and it is back with the network', async () => {
  await using lag = await startLag();
  // On a machine that lets nobody make a network device the host itself stands still: it is as silent.
  const far = { maxChildren: 4, transport: 'tcp', ...(lag ? { host: lag.near } : {}) } as const;
  const near = { maxChildren: 4, transport: 'tcp' } as const;
  await using farm = await startFarm(['a', 'b', 'c'], 'echo getenv("NODE");', [far, near, near]);
  const [, ...others] = farm.addresses;
  const endpoint = farm.fpms[0]?.endpoint;
  const port = endpoint && 'port' in endpoint ? endpoint.port : 0;
  const address = `${lag?.far ?? '127.0.0.1'}:${port}`;
  await using upstream = new Upstream([{ address, failTimeout: 300 }, ...others], {
    connections: 4,
    headersTimeout: 1_000,
    connectTimeout: 2_000,
  });
  const load = new Load(upstream, farm, 8);
  await load.more(60);
  const workers = lag ? [] : ((await farm.fpms[0]?.workers()) ?? []);
  await waitFor(() => (upstream.stats.servers[0]?.stats.busy ?? 0) >= 2);
  for (const pid of workers) process.kill(pid, 'SIGSTOP');
  if (lag) Object.assign(lag, { lostTo: port, lostFrom: port });
  await waitFor(() => stateOf(upstream, address) === 'failed', { timeout: 15_000 });
  await load.more(200);
  if (lag) Object.assign(lag, { lostTo: 0, lostFrom: 0 });
  for (const pid of workers) process.kill(pid, 'SIGCONT');
  const before = load.from('a');
  await waitFor(() => load.from('a') > before + 20, { timeout: 20_000 });
  await load.end();
  // Whether what was under way has arrived there, nobody here can know. Of two, both may have been answered just before.
  for (const { executed } of load.failed) expect(executed).toBe('unknown');
  // A third of 8 clients was on it, and trials may have been.
  expect(load.failed.length).toBeLessThanOrEqual(3 + 2 + 2);
  expect(broken(farm, load).twice).toEqual([]);
}, 60_000);
