import { endianness } from 'node:os';
import { expect, it } from 'vitest';
import { listedAddress } from '../../../src/connection/evidence/listed-address.ts';

it.each([
  // As x86-64 lists them.
  ['127.0.0.1', 9000, true, '0100007F:2328'],
  ['10.1.2.3', 80, true, '0302010A:0050'],
  ['::1', 443, true, '00000000000000000000000001000000:01BB'],
  ['::ffff:127.0.0.1', 65535, true, '0000000000000000FFFF00000100007F:FFFF'],
  ['2001:db8:85a3::8a2e:370:7334', 1, true, 'B80D01200000A3852E8A000034737003:0001'],
  ['2001:db8:1:2:3:4:5:6', 1, true, 'B80D0120020001000400030006000500:0001'],
  ['fe80::1%eth0', 1, true, '000080FE000000000000000001000000:0001'],
  ['::', 0, true, '00000000000000000000000000000000:0000'],
  ['64:ff9b::', 1, true, '9BFF6400000000000000000000000000:0001'],
  // As s390x does.
  ['127.0.0.1', 9000, false, '7F000001:2328'],
  ['::1', 443, false, '00000000000000000000000000000001:01BB'],
  // A socket that has been reset has none.
  ['', 0, true, ''],
])('%s, port %i (little-endian: %s) is listed as %s', (address, port, isLittleEndian, listed) => {
  expect(listedAddress(address, port, isLittleEndian)).toBe(listed);
});

it('the order of bytes is that of this machine, if it is not told', () => {
  const isLittleEndian = endianness() === 'LE';
  expect(listedAddress('127.0.0.1', 9000)).toBe(listedAddress('127.0.0.1', 9000, isLittleEndian));
});
