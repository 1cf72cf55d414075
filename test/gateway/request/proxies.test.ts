import { describe, expect, it } from 'vitest';
import type { HttpFacts, Params } from '../../../src/cgi/env.ts';
import { createFetchHandler } from '../../../src/gateway/fetch.ts';
import type { GatewayOptions } from '../../../src/gateway/options.ts';
import { original, TrustedProxies } from '../../../src/gateway/request/proxies.ts';
import { readOptions } from '../../../src/gateway/settings.ts';
import { Site } from '../../../src/gateway/site/site.ts';
import { FakeDispatcher } from '../fake-dispatcher.ts';

type Options = Partial<GatewayOptions<never>>;

/** What PHP is told of a request that comes from `peer`. */
function seen(options: Options, peer: string | undefined, headers: [string, string][], more = {}): Params {
  const settings = readOptions<never>({ fpmRoot: '/srv', ...options });
  const site = new Site(settings);
  const plan = site.plan({ method: 'GET', url: '/a.php', originalUrl: '/a.php' });
  if (plan.kind !== 'run') throw new Error(plan.kind);
  const http: HttpFacts = {
    method: 'GET',
    url: '/a.php',
    headers: [['Host', 'inner.example'], ...headers],
    remote: peer === undefined ? undefined : { address: peer, port: 4444 },
    local: { address: '10.0.0.9', port: 8080 },
    ...more,
  };
  const { proxies, forwardedHeaders } = settings;
  return site.params(proxies ? original(http, proxies, forwardedHeaders) : http, plan, undefined);
}

const trusting: Options = {
  trustedProxies: ['10.0.0.0/8', '2001:db8:1::/48', '127.0.0.1'],
  forwardedHeaders: ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port'],
};
const standard: Options = { ...trusting, forwardedHeaders: ['forwarded'] };
const lies: [string, string][] = [
  ['X-Forwarded-For', '1.2.3.4'],
  ['X-Forwarded-Proto', 'https'],
  ['X-Forwarded-Host', 'evil.example'],
  ['X-Forwarded-Port', '1'],
  ['Forwarded', 'for=1.2.3.4;proto=https;host=evil.example'],
];
const untouched = {
  REMOTE_ADDR: '192.0.2.7',
  REMOTE_PORT: '4444',
  REQUEST_SCHEME: 'http',
  HTTP_HOST: 'inner.example',
  SERVER_NAME: 'inner.example',
  SERVER_PORT: '8080',
};

describe('a client that says it is a proxy', () => {
  it.each<[string, Options]>([
    ['nobody is trusted', {}],
    ['others are', trusting],
    ['others are, for Forwarded', standard],
  ])('is not believed where %s', (_, options) => {
    const params = seen(options, '192.0.2.7', lies);
    expect(params).toMatchObject({ ...untouched, HTTP_X_FORWARDED_FOR: '1.2.3.4' });
    expect(params).not.toHaveProperty('HTTPS');
  });

  it('is not believed by a neighbour of a trusted network, nor without an address', () => {
    expect(seen(trusting, '11.0.0.0', lies)).toMatchObject({
      REMOTE_ADDR: '11.0.0.0',
      HTTP_HOST: 'inner.example',
    });
    expect(seen(trusting, undefined, lies)).toMatchObject({ HTTP_HOST: 'inner.example' });
    expect(seen(trusting, undefined, lies)).not.toHaveProperty('REMOTE_ADDR');
  });

  it('behind a trusted proxy cannot choose what its address is', () => {
    const params = seen(trusting, '10.0.0.1', [['X-Forwarded-For', '1.2.3.4, 127.0.0.1, 192.0.2.7']]);
    expect(params).toMatchObject({ REMOTE_ADDR: '192.0.2.7', REQUEST_SCHEME: 'http', SERVER_PORT: '8080' });
    expect(params).not.toHaveProperty('REMOTE_PORT');
  });

  it('is not believed for headers that the proxy is not said to set', () => {
    const params = seen({ trustedProxies: ['10.0.0.1'] }, '10.0.0.1', lies);
    expect(params).toMatchObject({ HTTP_HOST: 'inner.example', HTTPS: 'on', SERVER_PORT: '443' });
  });
});

describe('what a trusted proxy says is what PHP sees', () => {
  it('of the client, through more than one proxy of ours', () => {
    const header: [string, string] = ['X-Forwarded-For', '6.6.6.6, 192.0.2.7, 10.3.3.3'];
    expect(seen(trusting, '::ffff:10.0.0.1', [header])).toMatchObject({ REMOTE_ADDR: '192.0.2.7' });
    expect(seen(trusting, '2001:db8:1::9', [['X-Forwarded-For', '6.6.6.6'], header])).toMatchObject({
      REMOTE_ADDR: '192.0.2.7',
    });
  });

  it('of scheme, host and port', () => {
    const params = seen(trusting, '127.0.0.1', [
      ['x-forwarded-proto', 'HTTPS'],
      ['x-forwarded-host', 'www.example:8443'],
    ]);
    expect(params).toMatchObject({
      HTTPS: 'on',
      REQUEST_SCHEME: 'https',
      HTTP_HOST: 'www.example:8443',
      SERVER_NAME: 'www.example',
      SERVER_PORT: '8443',
    });
    expect(seen(trusting, '127.0.0.1', [['X-Forwarded-Port', '444']])).toMatchObject({ SERVER_PORT: '444' });
    expect(seen(trusting, '127.0.0.1', [['X-Forwarded-Proto', 'https']])).toMatchObject({
      SERVER_PORT: '443',
    });
  });

  it('also that the client came without TLS, though the proxy comes with it', () => {
    const params = seen(trusting, '10.0.0.1', [['X-Forwarded-Proto', 'http']], { tls: true });
    expect(params).toMatchObject({ REQUEST_SCHEME: 'http', SERVER_PORT: '80' });
    expect(params).not.toHaveProperty('HTTPS');
  });

  it('where each hop adds its own, that of the outermost proxy that is ours', () => {
    const params = seen(trusting, '10.0.0.1', [
      ['X-Forwarded-For', '6.6.6.6, 192.0.2.7, 10.0.0.2'],
      ['X-Forwarded-Proto', 'gopher, https, http'],
    ]);
    expect(params).toMatchObject({ REMOTE_ADDR: '192.0.2.7', REQUEST_SCHEME: 'https' });
  });

  it.each([
    ['for=192.0.2.60;proto=https;by=203.0.113.43;host=a.example', '192.0.2.60', 'https', 'a.example'],
    ['For="[2001:db8:cafe::17]:4711", for=10.1.1.1', '2001:db8:cafe::17', 'http', 'inner.example'],
    [
      'for=6.6.6.6;host=x;proto=https, for="192.0.2.7:99";host="b\\.example";proto=http',
      '192.0.2.7',
      'http',
      'b.example',
    ],
    ['for=6.6.6.6, for=_hidden', '10.0.0.1', 'http', 'inner.example'],
    ['for=6.6.6.6, for=unknown;proto=https', '10.0.0.1', 'https', 'inner.example'],
    ['for=6.6.6.6;;nonsense', '10.0.0.1', 'http', 'inner.example'],
    ['for="6.6.6.6', '10.0.0.1', 'http', 'inner.example'],
    ['', '10.0.0.1', 'http', 'inner.example'],
  ])('as RFC 7239 has it: Forwarded: %s', (text, address, scheme, host) => {
    expect(seen(standard, '10.0.0.1', [['Forwarded', text]])).toMatchObject({
      REMOTE_ADDR: address,
      REQUEST_SCHEME: scheme,
      HTTP_HOST: host,
    });
  });

  it.each(['', ',', 'nonsense', '1.2.3.4.5', '<script>', '192.0.2.7, evil'])(
    'but nonsense is not an address: X-Forwarded-For: %s',
    (text) => {
      expect(seen(trusting, '10.0.0.1', [['X-Forwarded-For', text]])).toMatchObject({
        REMOTE_ADDR: '10.0.0.1',
      });
    },
  );

  it('with a port, where it names one', () => {
    const params = seen(trusting, '10.0.0.1', [['X-Forwarded-For', '[2001:db8::1]:5555']]);
    expect(params).toMatchObject({ REMOTE_ADDR: '2001:db8::1', REMOTE_PORT: '5555' });
  });

  it('by a unix socket, if that is trusted', () => {
    const options = { trustedProxies: ['unix'] };
    expect(seen(options, undefined, [['X-Forwarded-For', '192.0.2.7']])).toMatchObject({
      REMOTE_ADDR: '192.0.2.7',
    });
    expect(seen(options, '10.0.0.1', [['X-Forwarded-For', '192.0.2.7']])).toMatchObject({
      REMOTE_ADDR: '10.0.0.1',
    });
  });
});

it('the host a trusted proxy names counts more than that in the URL of a Request', async () => {
  const php = new FakeDispatcher();
  const options = { trustedProxies: ['10.0.0.1'], forwardedHeaders: ['x-forwarded-host'] } as const;
  const handler = createFetchHandler(php, { fpmRoot: '/srv', ...options });
  const request = new Request('http://inner.example/a.php', {
    headers: { 'X-Forwarded-Host': 'www.example' },
  });
  await handler(request, { remote: { address: '10.0.0.1', port: 1 } });
  expect(php.params).toMatchObject({ HTTP_HOST: 'www.example', SERVER_NAME: 'www.example' });
});

it('who is trusted stays so however many addresses were named in between', () => {
  const proxies = new TrustedProxies(['10.0.0.0/8', '2001:db8::/32', 'unix']);
  const verdicts = (): boolean[] =>
    ['10.0.0.1', '::ffff:10.0.0.1', '2001:db8::1', '192.0.2.1', 'none', ''].map((one) => proxies.trusts(one));
  const before = verdicts();
  expect(before).toEqual([true, true, true, false, false, false]);
  for (let n = 0; n < 2_000; n++) {
    const last = `${n >> 8}.${n & 255}`;
    expect(proxies.trusts(`10.1.${last}`)).toBe(true);
    expect(proxies.trusts(`11.1.${last}`)).toBe(false);
  }
  expect(verdicts()).toEqual(before);
  expect(proxies.trusts(undefined)).toBe(true);
});
