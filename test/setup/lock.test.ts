import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type Lock, missingFrom } from './lock.mjs';

it('the lock file has an entry for every package of another platform, or npm ci refuses it', () => {
  const lock: Lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'));
  expect([...missingFrom(lock).keys()], 'run: node test/setup/lock.mjs').toEqual([]);
});

it('a package of another platform that the lock file lacks is noticed', () => {
  const lock: Lock = {
    packages: { '': {}, 'node_modules/a': { optionalDependencies: { 'a-win32-x64': '1.0.0' }, dev: true } },
  };
  expect(missingFrom(lock)).toEqual(new Map([['a-win32-x64', { version: '1.0.0', dev: true }]]));
});
