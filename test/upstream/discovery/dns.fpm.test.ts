/** Names that change under load, told by a real DNS server. */
import { expect, it } from 'vitest';
import { Upstream } from '../../../src/index.ts';
import { establishedTo, freePort, waitFor } from '../../fpm/support/index.ts';
import { broken, Load, NONE_BROKEN, startFarm } from '../load.ts';
import { startDnsmasq } from './dnsmasq.ts';

const HOSTS = ['127.0.0.11', '127.0.0.12', '127.0.0.13'] as const;
const ECHO = 'echo getenv("NODE");';

it('a name moves from host to host under load, its DNS server dies: all are answered, none runs twice', async () => {
  const port = await freePort();
  const options = HOSTS.map((host) => {
    return { transport: 'tcp', host, port, maxChildren: 4, processControlTimeout: 5 } as const;
  });
  await using farm = await startFarm(['a', 'b', 'c'], ECHO, options);
  await using dns = await startDnsmasq();
  await dns.set('fpm.test', [HOSTS[0], HOSTS[1]]);
  await using upstream = new Upstream([`fpm.test:${port}`], {
    connections: 4,
    backend: 'php-fpm',
    resolve: true,
    resolveInterval: 100,
    nameservers: [dns.address],
  });
  const load = new Load(upstream, farm, 8);
  await waitFor(() => load.from('a') > 20 && load.from('b') > 20);
  await dns.set('fpm.test', [HOSTS[1], HOSTS[2]]);
  await waitFor(() => load.from('c') > 20);
  await waitFor(() => upstream.stats.servers.length === 2);
  const before = load.from('a');
  // What was kept to the old address is gone, so its host can go, too.
  expect(await establishedTo({ host: HOSTS[0], port }, process.pid)).toBe(0);
  await farm.fpms[0]?.stop();
  await load.more(100);
  await dns.set('fpm.test', [HOSTS[2]]);
  await waitFor(() => upstream.stats.servers.length === 1);
  await farm.fpms[1]?.stop();
  await load.more(100);
  await dns.stop();
  await load.more(300);
  await load.end();
  expect(load.from('a')).toBe(before);
  expect(load.failed).toEqual([]);
  expect(broken(farm, load)).toEqual(NONE_BROKEN);
}, 30_000);

it('a service has its hosts, ports, weights and, by their priority, its backups', async () => {
  const ports = [await freePort(), await freePort()] as const;
  const options = ports.map((port) => ({ transport: 'tcp', host: HOSTS[0], port }) as const);
  await using farm = await startFarm(['a', 'b'], ECHO, options);
  await using dns = await startDnsmasq([
    `_php-fpm._tcp.test,host.test,${ports[0]},10,3`,
    `_php-fpm._tcp.test,host.test,${ports[1]},20,1`,
  ]);
  await dns.set('host.test', [HOSTS[0]]);
  await using upstream = new Upstream([{ srv: '_php-fpm._tcp.test' }], { nameservers: [dns.address] });
  const ask = async (): Promise<string> => {
    const params = { ...farm.params, REQUEST_METHOD: 'GET', REQUEST_ID: 'one' };
    return (await upstream.request({ params })).body.text();
  };
  expect(await ask()).toBe('a');
  const seen = upstream.stats.servers.map(({ address, origin, weight, backup }) => {
    return { address, origin, weight, backup };
  });
  expect(seen.sort((one, two) => Number(one.backup) - Number(two.backup))).toEqual([
    { address: `${HOSTS[0]}:${ports[0]}`, origin: '_php-fpm._tcp.test', weight: 3, backup: false },
    { address: `${HOSTS[0]}:${ports[1]}`, origin: '_php-fpm._tcp.test', weight: 1, backup: true },
  ]);
  await farm.fpms[0]?.stop();
  expect(await ask()).toBe('b');
}, 20_000);

it('a service of which one target is unknown, one has no port and one is the root has the rest', async () => {
  const port = await freePort();
  await using farm = await startFarm(['a'], ECHO, [{ transport: 'tcp', host: HOSTS[0], port }]);
  await using dns = await startDnsmasq([
    `_php-fpm._tcp.test,host.test,${port},0,1`,
    `_php-fpm._tcp.test,gone.test,${port},0,1`,
    '_php-fpm._tcp.test,host.test,0,0,1',
    '_nobody._tcp.test',
  ]);
  await dns.set('host.test', [HOSTS[0]]);
  const params = { ...farm.params, REQUEST_METHOD: 'GET', REQUEST_ID: 'one' };
  const nameservers = [dns.address];
  await using some = new Upstream([{ srv: '_php-fpm._tcp.test' }], { nameservers });
  expect(await (await some.request({ params })).body.text()).toBe('a');
  expect(some.stats.servers.map(({ address }) => address)).toEqual([`${HOSTS[0]}:${port}`]);
  await using none = new Upstream([{ srv: '_nobody._tcp.test' }], { nameservers, connectTimeout: 300 });
  await expect(none.request({ params })).rejects.toMatchObject({
    code: 'FCGI_ERR_NO_LIVE_UPSTREAM',
    message: expect.stringContaining('cannot look up _nobody._tcp.test'),
  });
}, 20_000);

it('a name that is unknown for a while: what comes meanwhile waits, and goes to its address of either kind that answers', async () => {
  const port = await freePort();
  await using farm = await startFarm(['a'], ECHO, [{ transport: 'tcp', host: HOSTS[0], port }]);
  await using dns = await startDnsmasq();
  await using upstream = new Upstream([`host.test:${port}`], {
    resolve: true,
    nameservers: [dns.address],
    connectTimeout: 20_000,
  });
  const ask = async (id: number): Promise<string> => {
    const params = { ...farm.params, REQUEST_METHOD: 'GET', REQUEST_ID: `${id}` };
    return (await upstream.request({ params })).body.text();
  };
  const early = ask(0);
  await waitFor(() => upstream.stats.servers[0]?.state === 'failed');
  expect(upstream.stats.servers[0]?.why).toContain('ENOTFOUND');
  // Nothing listens at the second.
  await dns.set('host.test', [HOSTS[0]], ['::1']);
  expect(await early).toBe('a');
  const later = await Promise.all([1, 2, 3, 4].map(ask));
  expect(later).toEqual(['a', 'a', 'a', 'a']);
  expect(upstream.stats.servers.map(({ address }) => address).sort()).toEqual([
    `${HOSTS[0]}:${port}`,
    `[::1]:${port}`,
  ]);
}, 40_000);
