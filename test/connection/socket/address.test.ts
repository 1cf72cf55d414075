import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Address, parseAddress } from '../../../src/connection/socket/address.ts';

it.each<[Address, object]>([
  ['unix:/run/php/php-fpm.sock', { transport: 'unix', path: '/run/php/php-fpm.sock' }],
  ['unix:fpm.sock', { transport: 'unix', path: 'fpm.sock' }],
  ['127.0.0.1:9000', { transport: 'tcp', host: '127.0.0.1', port: 9000 }],
  ['fpm:9000', { transport: 'tcp', host: 'fpm', port: 9000 }],
  ['tcp://fpm:9000', { transport: 'tcp', host: 'fpm', port: 9000 }],
  ['[::1]:9000', { transport: 'tcp', host: '::1', port: 9000 }],
  ['tcp://[fe80::1%eth0]:9000', { transport: 'tcp', host: 'fe80::1%eth0', port: 9000 }],
  [{ path: '/run/fpm.sock' }, { transport: 'unix', path: '/run/fpm.sock' }],
  [{ port: 9000 }, { transport: 'tcp', host: '127.0.0.1', port: 9000 }],
  [
    { host: '::1', port: 65_535 },
    { transport: 'tcp', host: '::1', port: 65_535 },
  ],
])('%j is an address', (address, target) => {
  expect(parseAddress(address)).toMatchObject(target);
});

it.each<[unknown, RegExp]>([
  ['', /unix:\/path\/to\/socket, HOST:PORT/],
  ['/run/php/php-fpm.sock', /unix:\/path\/to\/socket/],
  ['fpm', /HOST:PORT/],
  ['fpm:', /HOST:PORT/],
  [':9000', /HOST:PORT/],
  ['::1:9000', /\[IPV6\]:PORT/],
  ['http://fpm:9000', /tcp:\/\/HOST:PORT/],
  ['fpm:9000/', /HOST:PORT/],
  ['fpm:0', /1 to 65535/],
  ['fpm:65536', /1 to 65535/],
  ['fpm:99999', /1 to 65535/],
  ['unix:', /path of the socket is missing/],
  ['unix:/a\0b', /NUL/],
  [`unix:/${'a'.repeat(107)}`, /108 bytes.*107/],
  [`unix:/${'\u00fc'.repeat(54)}`, /109 bytes/],
  [{ path: 5 }, /path of the socket is missing/],
  [{ host: 'fpm' }, /port/],
  [{ host: '', port: 1 }, /host/],
  [{ port: '9000' }, /port must be a whole number/],
  [{ port: 1.5 }, /port must be a whole number/],
  [9000, /string such as .*, or an object/],
  [null, /string such as .*, or an object/],
  [undefined, /string such as .*, or an object/],
])('%j is refused, and the message says why', (address, why) => {
  expect(() => parseAddress(address as Address)).toThrow(
    expect.objectContaining({
      code: 'FCGI_ERR_INVALID_ARG',
      option: 'address',
      message: expect.stringMatching(why),
    }),
  );
});

it('a path of exactly 107 bytes, the most a unix socket takes, is an address', () => {
  const path = `/${'a'.repeat(106)}`;
  expect(parseAddress(`unix:${path}`)).toMatchObject({ path });
});

it('an object with neither path nor port is refused, whatever else it holds', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^x[a-z]*$/), fc.anything()), (address) => {
      expect(() => parseAddress(address as unknown as Address)).toThrow(
        expect.objectContaining({ code: 'FCGI_ERR_INVALID_ARG' }),
      );
    }),
  );
});

it('the name in messages can be given back as an address', () => {
  for (const text of ['unix:/run/fpm.sock', '127.0.0.1:9000', '[::1]:9000']) {
    expect(parseAddress(text).name).toBe(text);
    expect(parseAddress(parseAddress(text).name)).toEqual(parseAddress(text));
  }
});
