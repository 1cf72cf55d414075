import { expect, it } from 'vitest';
import { signOf } from '../../../src/connection/evidence/premature-close.ts';

/** As Node's net.Socket gives them: `syscall` says which half of the connection failed. */
it.each([
  ['a reset that was read', 'ECONNRESET', 'read', 'reset'],
  ['a reset that a write met', 'ECONNRESET', 'write', 'write-refused'],
  ['a write behind the end', 'EPIPE', 'write', 'write-refused'],
  ['a shutdown that met a reset', 'EPIPE', 'shutdown', 'reset'],
  ['a network that is gone', 'EHOSTUNREACH', 'read', 'other'],
  ['a write that nobody acknowledged', 'ETIMEDOUT', 'write', 'other'],
  ['an error without a code', undefined, undefined, 'other'],
])('%s', (_, code, syscall, sign) => {
  const error: NodeJS.ErrnoException = new Error('the connection broke');
  if (code !== undefined) error.code = code;
  if (syscall !== undefined) error.syscall = syscall;
  expect(signOf(error)).toBe(sign);
});
