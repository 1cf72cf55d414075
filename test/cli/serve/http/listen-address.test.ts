/** What is said of where a server listens. */
import { expect, it } from 'vitest';
import { urlOf } from '../../../../src/cli/serve/http/listen-address.ts';

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
