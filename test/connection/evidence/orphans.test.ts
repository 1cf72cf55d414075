import { describe, expect, it } from 'vitest';
import { counterIn, wasRequestReset } from '../../../src/connection/evidence/orphans.ts';

describe('was it the request that was reset behind a FIN', () => {
  it.each([
    ['a kernel that never resets what a dead process leaves, however late', false, 60_000, 0, true],
    ['one that may, and the FIN came at once', true, 10, 0, true],
    ['the same from afar: a round trip later', true, 90, 80, true],
    ['one that may, and the script had time to run and to die', true, 11, 0, false],
    ['the same from afar', true, 91, 80, false],
  ])('%s', (_what, resetsOrphans, sinceSent, roundTrip, expected) => {
    expect(wasRequestReset({ resetsOrphans, sinceSent, roundTrip })).toBe(expected);
  });
});

it.each([
  ['TcpExt: A TCPAbortOnMemory B\nTcpExt: 1 0 2\nIpExt: A\nIpExt: 7\n', 0],
  ['TcpExt: A TCPAbortOnMemory\nTcpExt: 1 31\n', 31],
  ['TcpExt: A B\nTcpExt: 1 2\n', null],
  ['TcpExt: A TCPAbortOnMemory\n', null],
  ['', null],
])('reads the counter of the kernel: %j', (counters, expected) => {
  expect(counterIn(counters, 'TCPAbortOnMemory')).toBe(expected);
});
