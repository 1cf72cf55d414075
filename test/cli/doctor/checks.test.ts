/** Facts in, findings out. */
import { describe, expect, it } from 'vitest';
import { checks, findings } from '../../../src/cli/doctor/checks.ts';
import type { Facts, Live } from '../../../src/cli/doctor/facts.ts';
import { secondsOf } from '../../../src/cli/doctor/units.ts';
import { parseAddress } from '../../../src/connection/socket/address.ts';

const LIVE: Live = {
  sapi: 'fpm-fcgi',
  version: '8.2.0',
  ini: {
    'cgi.fix_pathinfo': '1',
    enable_post_data_reading: '1',
    post_max_size: '8M',
    upload_max_filesize: '2M',
  },
  opcache: true,
  tmp: '/tmp',
  tmpWritable: true,
  uploads: true,
};

const SETTINGS = {
  listen: '127.0.0.1:9000',
  'pm.max_children': '16',
  process_control_timeout: '10s',
  'pm.status_path': '/status',
  'pm.status_listen': '127.0.0.1:9001',
};

const HEALTHY: Facts = {
  target: parseAddress('127.0.0.1:9000'),
  connections: 8,
  processes: 2,
  unreachable: null,
  notRun: null,
  live: LIVE,
  direct: true,
  pool: { name: 'www', settings: SETTINGS },
  listens: ['127.0.0.1:9000'],
  somaxconn: 4096,
  socketMode: null,
  linkedRoot: null,
};

function conf(settings: Record<string, string>): Partial<Facts> {
  return { pool: { name: 'www', settings: { ...SETTINGS, ...settings } } };
}

function ini(values: Record<string, string>): Partial<Facts> {
  return { live: { ...LIVE, ini: { ...LIVE.ini, ...values } } };
}

describe('doctor', () => {
  it.each([
    ['127.0.0.1:9000', 'FCGI_ERR_CONNECT_TIMEOUT', 'connecting', 'listen ='],
    ['127.0.0.1:9000', 'FCGI_ERR_TIMEOUT', 'connecting', 'listen ='],
    ['127.0.0.1:9000', 'FCGI_ERR_TIMEOUT', 'waiting', 'pm.max_children'],
    ['127.0.0.1:9000', 'FCGI_ERR_SOCKET_CLOSED', 'waiting', 'listen.allowed_clients ='],
    ['unix:/run/fpm.sock', 'FCGI_ERR_SOCKET_CLOSED', 'waiting', 'error_log'],
    ['unix:/run/fpm.sock', 'FCGI_ERR_SOCKET_RESET', 'waiting', 'error_log'],
    ['127.0.0.1:80', 'FCGI_ERR_RECORD_VERSION', 'waiting', 'ADDRESS:'],
  ] as const)('says of %s, where it fails by %s while %s, to change %s', (address, code, phase, change) => {
    const facts = {
      ...HEALTHY,
      target: parseAddress(address),
      unreachable: { reason: 'it fails', code, phase },
    };
    const [found] = findings(facts);
    expect(found?.id).toBe('unreachable');
    expect(found?.change.startsWith(change)).toBe(true);
  });

  it('finds nothing where all is well, nor where nothing is known', () => {
    expect(findings(HEALTHY)).toEqual([]);
    const unknown = { live: null, direct: null, pool: null, listens: null, somaxconn: null };
    expect(findings({ ...HEALTHY, ...unknown })).toEqual([]);
  });

  const found: readonly (readonly [id: string, change: Partial<Facts>])[] = [
    ['unreachable', { unreachable: { reason: 'ENOENT', code: 'FCGI_ERR_CONNECT', phase: 'connecting' } }],
    ['not-asked', { notRun: 'no folder' }],
    ['no-pool', { pool: null, listens: ['/run/x.sock'] }],
    ['no-pool', { pool: null, listens: [] }],
    ['not-fpm', { live: { ...LIVE, sapi: 'cgi-fcgi' } }],
    ['proxy', { direct: false }],
    ['kubernetes-service', { target: parseAddress('php.shop.svc.cluster.local:9000') }],
    ['kubernetes-service', { target: parseAddress('php.shop.svc:9000') }],
    ['children', conf({ 'pm.max_children': '15' })],
    ['max-requests', conf({ 'pm.max_requests': '50' })],
    ['terminate-timeout', conf({ request_terminate_timeout: '1' })],
    ['terminate-timeout', conf({ request_terminate_timeout: '2m' })],
    ['control-timeout', conf({ process_control_timeout: '0' })],
    ['backlog', conf({ 'listen.backlog': '15' })],
    ['backlog', { somaxconn: 128 }],
    ['socket-open', { socketMode: 0o666 }],
    ['open-to-all', conf({ listen: '9000' })],
    ['open-to-all', conf({ listen: '0.0.0.0:9000' })],
    ['limit-extensions', conf({ 'security.limit_extensions': '' })],
    ['post-data', ini({ enable_post_data_reading: '0' })],
    ['post-data', ini({ enable_post_data_reading: 'Off' })],
    ['post-data', ini({ post_max_size: '8MB', upload_max_filesize: '8' })],
    ['post-data', ini({ post_max_size: '16383', upload_max_filesize: '1K' })],
    ['body-size', ini({ upload_max_filesize: '64M' })],
    ['temp-folder', { live: { ...LIVE, tmpWritable: false } }],
    ['temp-folder', { live: { ...LIVE, uploads: false } }],
    ['opcache', { live: { ...LIVE, opcache: false } }],
    ['linked-root', { linkedRoot: '/srv/current/public' }],
  ];

  it.each(found)('finds %s: %j', (id, change) => {
    const [finding, ...others] = findings({ ...HEALTHY, ...change });
    expect(finding?.id).toBe(id);
    expect(others).toEqual([]);
    for (const text of [finding?.what, finding?.why, finding?.change]) expect(text).toMatch(/^\S.{5,}/);
  });

  it('finds status-listen where the page has no port of its own', () => {
    const { 'pm.status_listen': _, ...settings } = SETTINGS;
    const ids = findings({ ...HEALTHY, pool: { name: 'www', settings } }).map(({ id }) => id);
    expect(ids).toEqual(['status-listen']);
  });

  it('has each of its checks tried here', () => {
    const tried = new Set([...found.map(([id]) => id), 'status-listen']);
    expect([...tried].sort()).toEqual(Object.keys(checks).sort());
  });

  it.each([
    conf({ 'pm.max_requests': '0' }),
    conf({ request_terminate_timeout: '30s' }),
    conf({ 'listen.backlog': '-1' }),
    conf({ listen: '0.0.0.0:9000', 'listen.allowed_clients': '10.0.0.1' }),
    conf({ 'security.limit_extensions': '.php .phar' }),
    ini({ post_max_size: '0', upload_max_filesize: '2G' }),
    conf({ 'pm.status_path': '', 'pm.status_listen': '' }),
    { socketMode: 0o660 },
    ini({ enable_post_data_reading: 'On' }),
    { target: parseAddress('php.svc-a.example:9000') },
    { live: { ...LIVE, opcache: true }, linkedRoot: null },
  ])('finds nothing in %j', (change) => {
    expect(findings({ ...HEALTHY, ...change })).toEqual([]);
  });

  it('says the size that PHP takes for another one', () => {
    const [finding] = findings({ ...HEALTHY, ...ini({ post_max_size: '8MB', upload_max_filesize: '8' }) });
    expect(finding?.what).toBe('post_max_size = 8MB, which PHP takes for 8 bytes');
    expect(finding?.change).toContain('postDataReading: 8,');
  });

  it('says nothing of [global] where only the file of one pool was read', () => {
    const { process_control_timeout: _, ...settings } = SETTINGS;
    expect(findings({ ...HEALTHY, pool: { name: 'www', settings } })).toEqual([]);
  });

  it('reads values as php-fpm writes them', () => {
    expect(['30', '30s', '5m', '1h', '', 'x'].map(secondsOf)).toEqual([30, 30, 300, 3600, null, null]);
  });
});
