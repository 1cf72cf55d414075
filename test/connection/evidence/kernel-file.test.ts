import { expect, it } from 'vitest';
import { readKernelFile } from '../../../src/connection/evidence/kernel-file.ts';

const failing = (code: string, times: number): { read: () => Promise<string>; calls: () => number } => {
  let calls = 0;
  const read = async (): Promise<string> => {
    if (calls++ < times) throw Object.assign(new Error(code), { code });
    return 'read';
  };
  return { read, calls: () => calls };
};

it.each(['EMFILE', 'ENFILE', 'ENOMEM'])('%s, for a moment: it is read once that is over', async (code) => {
  expect(await readKernelFile('/proc/net/tcp', failing(code, 2).read)).toBe('read');
});

it.each(['ENOENT', 'EACCES'])('%s: there is nothing to wait for', async (code) => {
  const { read, calls } = failing(code, 2);
  expect(await readKernelFile('/proc/net/tcp', read)).toBe('');
  expect(calls()).toBe(1);
});

it('a file of this machine', async () => {
  expect(await readKernelFile('/proc/self/comm')).not.toBe('');
  expect(await readKernelFile('/proc/self/nothing')).toBe('');
});
