/** What is said of where a server listens. */
import { expect, it } from 'vitest';
import { besideIpv4, urlOf } from '../../../../src/cli/serve/http/listen-address.ts';

const at = (address: string) => ({ address, port: 80 });

it.each([
  [{ host: 'localhost', port: 0 }, false, at('127.0.0.1'), 'http://localhost:80'],
  [{ host: '::1', port: 0 }, true, at('::1'), 'https://[::1]:80'],
  [{ path: '/run/a.sock' }, false, '/run/a.sock', 'unix:/run/a.sock'],
  [{ fd: 3, tls: true }, true, at('0.0.0.0'), 'https://0.0.0.0:80'],
  // Node does not know the path of a unix socket that was handed over
  [{ fd: 4, tls: false }, false, '', 'fd:4'],
  [{ fd: 4, tls: false }, false, null, 'fd:4'],
])('%j with TLS %j, that listens at %j, is %s', (where, tls, address, url) => {
  expect(urlOf(where, tls, address)).toBe(url);
});

it.each([
  ['0.0.0.0', true],
  ['127.0.0.1', true],
  ['localhost', true],
  ['::1', false],
])('[::] beside %s at the same port, here or at another place: IPv6 only, %j', (host, ipv6Only) => {
  const all = { host: '::', port: 80, tls: false };
  const only = { ...all, ipv6Only: true };
  const other = { host, port: 80 };
  expect(besideIpv4([other, all])).toEqual([other, ipv6Only ? only : all]);
  expect(besideIpv4([all, other])).toEqual([ipv6Only ? only : all, other]);
  const elsewhere = [{ host, port: 81 }, { path: '/a' }, { fd: 3, tls: false }];
  expect(besideIpv4([all, ...elsewhere])).toEqual([all, ...elsewhere]);
  // any free port is never the same
  expect(
    besideIpv4([
      { host, port: 0 },
      { ...all, port: 0 },
    ]),
  ).toEqual([
    { host, port: 0 },
    { ...all, port: 0 },
  ]);
});
