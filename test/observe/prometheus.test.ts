import client from 'prom-client';
import { describe, expect, it } from 'vitest';
import { Pool, Upstream } from '../../src/index.ts';
import { fpmMetrics } from '../../src/observe/prometheus/fpm-status.ts';
import { poolMetrics } from '../../src/observe/prometheus/metrics.ts';
import { type Observed, observe } from '../../src/observe/prometheus.ts';
import { startFakeFpm } from '../../src/testing/index.ts';
import { startFpm } from '../fpm/support/index.ts';
import { GET, gate, text } from '../pool/support.ts';
import { read } from '../readme/sections.ts';
import { KEPT } from './support.ts';

/** The lines of a scrape that are figures, without those that are 0. */
async function scrape(registry: client.Registry): Promise<string[]> {
  const lines = (await registry.metrics()).split('\n');
  return lines.filter((line) => line !== '' && !line.startsWith('#') && !line.endsWith(' 0'));
}

describe('metrics of a pool', () => {
  it('are its figures at the time of the scrape, with the server and the labels given', async () => {
    const held = gate();
    const arrived = gate();
    const onRequest = (): Promise<void> => {
      arrived.open();
      return held.opened;
    };
    await using fpm = await startFakeFpm({ onRequest, workers: 1 });
    await using pool = new Pool(fpm.address, { ...KEPT, connections: 1 });
    const registry = new client.Registry();
    observe(pool, { client, registry, labels: { site: 'blog' } });
    const server = `server="${fpm.address}"`;
    const all = [text(pool, { params: GET }), text(pool, { params: GET })];
    await arrived.opened;
    const during = await scrape(registry);
    expect(during).toContain(`fastcgi_pool_connections{${server},state="busy",site="blog"} 1`);
    expect(during).toContain('fastcgi_pool_queued{site="blog"} 1');
    held.open();
    await Promise.all(all);
    await pool.close();
    const after = await scrape(registry);
    expect(after).toContain(`fastcgi_pool_served_total{${server},site="blog"} 2`);
    expect(after).toContain(`fastcgi_pool_closed_total{${server},reason="pool-closed",site="blog"} 1`);
    expect(after.filter((line) => /connections|queued/.test(line))).toEqual([]);
    // Read again, a counter is not added to itself.
    expect(await scrape(registry)).toEqual(after);
  });

  it('tell the servers of an Upstream apart, and their states', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Upstream([{ address: 'unix:/nonexistent.sock', maxFails: 1 }, fpm.address]);
    const registry = new client.Registry();
    observe(pool, { client, registry });
    for (let i = 0; i < 4; i++) await text(pool, { params: GET });
    const found = await scrape(registry);
    expect(found).toContain('fastcgi_pool_server_state{server="unix:/nonexistent.sock",state="failed"} 1');
    expect(found).toContain(`fastcgi_pool_server_state{server="${fpm.address}",state="up"} 1`);
    expect(found).toContain(`fastcgi_pool_served_total{server="${fpm.address}"} 4`);
  });

  it('of several pools stand side by side in one registry, until one is taken out', async () => {
    await using fpm = await startFakeFpm();
    await using blog = new Pool(fpm.address);
    await using shop = new Pool(fpm.address);
    const registry = new client.Registry();
    const first = observe(blog, { client, registry, labels: { site: 'blog' } });
    observe(shop, { client, registry, labels: { site: 'shop' } });
    await text(blog, { params: GET });
    await text(shop, { params: GET });
    const served = async (): Promise<string[]> =>
      (await scrape(registry)).filter((line) => line.startsWith('fastcgi_pool_served_total'));
    expect(await served()).toHaveLength(2);
    first.stop();
    expect(await served()).toEqual([`fastcgi_pool_served_total{server="${fpm.address}",site="shop"} 1`]);
    registry.clear();
    observe(blog, { client, registry });
    expect(await served()).toEqual([`fastcgi_pool_served_total{server="${fpm.address}"} 1`]);
  });

  it('of several pools that nothing tells apart are added, where they can be', async () => {
    const { stats } = new Pool('127.0.0.1:9');
    const pool = (more: Partial<Observed['stats']>): Observed => ({
      address: 'php:9000',
      stats: { ...stats, ...more },
    });
    const registry = new client.Registry();
    observe(pool({ busy: 2, queued: 3, workers: 8, served: 10, waiting: { count: 9, p50: 100, p99: 250 } }), {
      client,
      registry,
    });
    observe(pool({ busy: 1, queued: 4, workers: 6, served: 7, waiting: { count: 9, p50: 50, p99: 500 } }), {
      client,
      registry,
    });
    expect(await scrape(registry)).toEqual([
      'fastcgi_pool_connections{server="php:9000",state="busy"} 3',
      'fastcgi_pool_workers{server="php:9000"} 8',
      'fastcgi_pool_served_total{server="php:9000"} 17',
      'fastcgi_pool_queued 7',
      'fastcgi_pool_waiting_seconds{quantile="0.5"} 0.1',
      'fastcgi_pool_waiting_seconds{quantile="0.99"} 0.5',
    ]);
  });

  it('of several processes are joined in the same way by prom-client’s AggregatorRegistry', async () => {
    await using fpm = await startFpm({ maxChildren: 4 });
    await using one = new Pool(fpm.address, KEPT);
    await using other = new Pool(fpm.address, KEPT);
    const processes = [one, other].map((pool) => {
      const registry = new client.Registry();
      observe(pool, { client, registry, status: '/status' });
      return registry;
    });
    const params = fpm.script('pause.php', 'usleep(40000);');
    for (const pool of [one, other]) await text(pool, { params });
    const told = await Promise.all(processes.map((registry) => registry.getMetricsAsJSON()));
    const figure = (name: string, values: { value: number; labels: object }[]): number =>
      values.find(({ labels }) => name === '' || Object.values(labels).includes(name))?.value ?? Number.NaN;
    const all = await client.AggregatorRegistry.aggregate(told).getMetricsAsJSON();
    const of = (metrics: (typeof told)[0], name: string, label = ''): number =>
      figure(
        label,
        (metrics.find((metric) => metric.name === name) as { values: [] } | undefined)?.values ?? [],
      );
    const both = (name: string, label = ''): number[] => told.map((metrics) => of(metrics, name, label));
    const [first = 0, second = 0] = both('fastcgi_pool_served_total');
    expect(first * second).toBeGreaterThan(0);
    expect(of(all, 'fastcgi_pool_served_total')).toBe(first + second);
    expect(of(all, 'phpfpm_total_processes')).toBe(Math.max(...both('phpfpm_total_processes')));
    expect(of(all, 'phpfpm_up')).toBe(1);
    const slowest = Math.max(...both('fastcgi_pool_running_seconds', '0.99'));
    expect(of(all, 'fastcgi_pool_running_seconds', '0.99')).toBe(slowest);
  });

  it('of a pool that is observed twice count once, until both have stopped', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address);
    const registry = new client.Registry();
    const first = observe(pool, { client, registry });
    const second = observe(pool, { client, registry });
    await text(pool, { params: GET });
    const served = async (): Promise<string[]> =>
      (await scrape(registry)).filter((line) => line.startsWith('fastcgi_pool_served_total'));
    expect(await served()).toEqual([`fastcgi_pool_served_total{server="${fpm.address}"} 1`]);
    first.stop();
    first.stop();
    expect(await served()).toHaveLength(1);
    second.stop();
    expect(await served()).toEqual([]);
  });

  it('leave the registry with the last pool, which may then be observed by other labels', async () => {
    const registry = new client.Registry();
    const other = new client.Gauge({ name: 'other', help: 'of the application', registers: [registry] });
    const stats = new Pool('127.0.0.1:9').stats;
    const first = observe({ stats, address: 'a' }, { client, registry });
    const second = observe({ stats, address: 'b' }, { client, registry });
    first.stop();
    expect(await registry.metrics()).toContain('fastcgi_pool_queued 0');
    second.stop();
    expect(registry.getMetricsAsArray().map(({ name }) => name)).toEqual(['other']);
    observe({ stats, address: 'a' }, { client, registry, labels: { site: 'blog' } });
    expect(await registry.metrics()).toContain('fastcgi_pool_queued{site="blog"} 0');
    // By now the metrics are those of the third: it is no affair of the others.
    second.stop();
    expect(await registry.metrics()).toContain('fastcgi_pool_queued{site="blog"} 0');
    other.set(1);
  });

  it('go to the registry of prom-client itself, where none is given', async () => {
    const stats = { ...new Pool('127.0.0.1:9').stats, waiting: { count: 2, p50: 250, p99: 500 } };
    observe({ stats, address: 'a' }, { client });
    try {
      const found = await scrape(client.register);
      expect(found).toContain('fastcgi_pool_waiting_seconds{quantile="0.5"} 0.25');
      expect(found).toContain('fastcgi_pool_waiting_seconds{quantile="0.99"} 0.5');
    } finally {
      client.register.clear();
    }
  });

  it('leave out the workers as long as nobody knows how many', async () => {
    const registry = new client.Registry();
    const observed: { stats: Observed['stats'] } = { stats: new Pool('127.0.0.1:9').stats };
    observe(observed, { client, registry });
    const workers = async (): Promise<string[]> =>
      (await registry.metrics()).split('\n').filter((line) => line.startsWith('fastcgi_pool_workers'));
    expect(await workers()).toEqual([]);
    observed.stats = { ...observed.stats, workers: 3 };
    expect(await workers()).toEqual(['fastcgi_pool_workers{server=""} 3']);
  });

  it.each<[option: string, fpm: unknown, options: object]>([
    ['fpm', {}, { client }],
    ['options', new Pool('127.0.0.1:9'), null as never],
    ['client', new Pool('127.0.0.1:9'), {}],
    ['clients', new Pool('127.0.0.1:9'), { client, clients: 1 }],
    ['registry', new Pool('127.0.0.1:9'), { client, registry: {} }],
    ['labels', new Pool('127.0.0.1:9'), { client, labels: { a: 1 } }],
    ['labels', new Pool('127.0.0.1:9'), { client, labels: { server: 'x' } }],
    ['labels', new Pool('127.0.0.1:9'), { client, labels: { 'no-name': 'x' } }],
    ['status', new Pool('127.0.0.1:9'), { client, status: 'status' }],
    ['status', { stats: new Pool('127.0.0.1:9').stats }, { client, status: '/status' }],
    ['statusTimeout', new Pool('127.0.0.1:9'), { client, statusTimeout: 0 }],
  ])('are refused with an error that names %s', (option, fpm, options) => {
    expect(() => observe(fpm as never, options as never)).toThrow(
      expect.objectContaining({ code: 'FCGI_ERR_INVALID_ARG', option }),
    );
  });

  it('are refused where other metrics have their names, or other labels', () => {
    const pool = new Pool('127.0.0.1:9');
    const taken = new client.Registry();
    new client.Gauge({ name: 'fastcgi_pool_connections', help: 'x', registers: [taken] });
    expect(() => observe(pool, { client, registry: taken })).toThrow(/not ours/);
    const registry = new client.Registry();
    observe(pool, { client, registry, labels: { site: 'a' } });
    expect(() => observe(pool, { client, registry })).toThrow(/labels of the same names/);
  });
});

describe("PHP-FPM's own status", () => {
  it("comes with them by the names of hipages' exporter", async () => {
    await using fpm = await startFpm({ maxChildren: 1 });
    await using pool = new Pool(fpm.address);
    const registry = new client.Registry();
    observe(pool, { client, registry, status: '/status' });
    const uri = fpm.address.startsWith('unix:') ? `${fpm.address};/status` : `tcp://${fpm.address}/status`;
    const labels = `pool="www",scrape_uri="${uri}"`;
    const found = await scrape(registry);
    expect(found).toContain(`phpfpm_up{${labels}} 1`);
    expect(found).toContain(`phpfpm_total_processes{${labels}} 1`);
    expect(found).toContain(`phpfpm_active_processes{${labels}} 1`);
    // One scrape is one request.
    expect(found).toContain(`phpfpm_accepted_connections{${labels}} 1`);
    expect(pool.stats.served).toBe(1);
  });

  it('is that of one PHP-FPM, however many pools ask it', async () => {
    const page = { pool: 'www', 'accepted conn': 7, 'total processes': 4 };
    const body = `Content-Type: application/json\r\n\r\n${JSON.stringify(page)}`;
    await using fpm = await startFakeFpm({ script: (_, response) => response.stdout(body) });
    await using one = new Pool(fpm.address);
    await using another = new Pool(fpm.address);
    const registry = new client.Registry();
    observe(one, { client, registry, status: '/status' });
    observe(another, { client, registry, status: '/status' });
    const found = (await scrape(registry)).map((line) => line.replace(/\{.*\}/, ''));
    expect(found.filter((line) => line.startsWith('phpfpm_'))).toEqual([
      'phpfpm_up 1',
      'phpfpm_accepted_connections 7',
      'phpfpm_total_processes 4',
    ]);
  });

  it('counts the workers of PHP-FPM, which counts requests on kept connections as workers', async () => {
    const states = ['Running', 'Reading headers', 'Idle', 'Idle'];
    const processes = states.map((state) => ({ state, 'request uri': '/secret' }));
    const counted = { 'idle processes': 0, 'active processes': 38, 'total processes': 38 };
    const page = { pool: 'www', 'accepted conn': 7, ...counted, processes };
    const body = `Content-Type: application/json\r\n\r\n${JSON.stringify(page)}`;
    await using fpm = await startFakeFpm({ script: (_, response) => response.stdout(body) });
    await using pool = new Pool(fpm.address);
    const registry = new client.Registry();
    observe(pool, { client, registry, status: '/status' });
    const found = (await scrape(registry)).map((line) => line.replace(/\{.*\}/, ''));
    expect(found.filter((line) => line.includes('_processes'))).toEqual([
      'phpfpm_idle_processes 2',
      'phpfpm_active_processes 2',
      'phpfpm_total_processes 4',
    ]);
  });

  it('comes from each server of an Upstream', async () => {
    await using a = await startFpm({ maxChildren: 1 });
    await using b = await startFpm({ maxChildren: 1 });
    await using pool = new Upstream([a.address, b.address]);
    const registry = new client.Registry();
    observe(pool, { client, registry, status: '/status' });
    const found = await scrape(registry);
    expect(found.filter((line) => line.startsWith('phpfpm_up'))).toHaveLength(2);
    expect(pool.stats.servers.map(({ stats }) => stats.served)).toEqual([1, 1]);
  });

  it('goes down in the series in which it was up', async () => {
    const page = { pool: 'www', 'accepted conn': 7 };
    const body = `Content-Type: application/json\r\n\r\n${JSON.stringify(page)}`;
    let well = true;
    await using fpm = await startFakeFpm({
      script: (_, response) => response.stdout(well ? body : 'Status: 503\r\n\r\n'),
    });
    await using pool = new Pool(fpm.address);
    const registry = new client.Registry();
    observe(pool, { client, registry, status: '/status' });
    const seen = async (): Promise<string[]> =>
      (await registry.metrics()).split('\n').filter((line) => /^phpfpm_(?:up|scrape)/.test(line));
    const labels = `{pool="www",scrape_uri="${fpm.address};/status"}`;
    expect(await seen()).toEqual([`phpfpm_up${labels} 1`, `phpfpm_scrape_failures${labels} 0`]);
    well = false;
    expect(await seen()).toEqual([`phpfpm_up${labels} 0`, `phpfpm_scrape_failures${labels} 1`]);
  });

  it('is down where it cannot be had, and the scrape goes on', async () => {
    await using fpm = await startFakeFpm();
    await using pool = new Pool(fpm.address);
    const registry = new client.Registry();
    observe(pool, { client, registry, status: '/status' });
    const found = (await registry.metrics()).split('\n');
    const labels = `pool="",scrape_uri="${fpm.address};/status"`;
    expect(found).toContain(`phpfpm_up{${labels}} 0`);
    expect(found).toContain(`phpfpm_scrape_failures{${labels}} 1`);
    expect(found).toContain('fastcgi_pool_queued 0');
  });
});

it('the dashboard asks for metrics that there are, and for each of ours', () => {
  const dashboard = read('examples/grafana-dashboard.json');
  const named = new Set(dashboard.match(/\b(?:fastcgi_pool|phpfpm)_\w+/g));
  const ours = poolMetrics.map(({ name }) => name);
  expect(
    [...named].filter((name) => ![...poolMetrics, ...fpmMetrics].some((one) => one.name === name)),
  ).toEqual([]);
  expect(ours.filter((name) => !named.has(name))).toEqual([]);
  const { panels }: { panels: { title: string; targets: { expr: string }[] }[] } = JSON.parse(dashboard);
  for (const { title, targets } of panels) {
    expect(title).not.toBe('');
    expect(targets.length).toBeGreaterThan(0);
  }
});
