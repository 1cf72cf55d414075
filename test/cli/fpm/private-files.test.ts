import { chmodSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { isOwnersAlone, PrivateFiles } from '../../../src/cli/fpm/private-files.ts';
import { tempDir } from '../../fpm/support/temp.ts';

const folder = tempDir();
afterAll(() => folder.remove());

it.each([
  // mode, its owner, who runs PHP
  [0o100600, 0, 33, true],
  [0o100400, 0, 33, true],
  [0o100000, 0, 33, true],
  [0o100600, 33, 33, false],
  [0o100600, 1000, 33, true],
  [0o100640, 0, 33, false],
  [0o100604, 0, 33, false],
  [0o100644, 0, 33, false],
  [0o040700, 0, 33, true],
  [0o040711, 0, 33, false],
  // who runs PHP is not known
  [0o100600, 0, null, true],
  [0o100600, 1000, null, false],
  [0o100644, 0, null, false],
])('mode %o of user %s is hidden from user %s: %s', (mode, owner, uid, hidden) => {
  expect(isOwnersAlone({ mode, uid: owner }, { uid })).toBe(hidden);
});

it('a folder that goes away in that moment is not an end of the server', () => {
  const real = join(folder.path, 'site/new/a.txt');
  mkdirSync(dirname(real), { recursive: true });
  writeFileSync(real, '');
  const stats = statSync(real);
  const hidden = new PrivateFiles({ uid: stats.uid }, join(folder.path, 'site'), []);
  rmSync(join(folder.path, 'site/new'), { recursive: true });
  expect(hidden.has({ name: '/new/a.txt', real, stats })).toBe(false);
  rmSync(join(folder.path, 'site'), { recursive: true });
  expect(hidden.has({ name: '/new/a.txt', real, stats })).toBe(false);
});

it.each(['shared', 'gr\u00f6\u00dfe', 'link'])(
  'a folder of its owner alone is hidden below one to which links may lead: %s',
  (name) => {
    const top = join(folder.path, 'to', name);
    const real = join(folder.path, 'to', name === 'link' ? 'behind' : name);
    mkdirSync(join(real, 'closed'), { recursive: true });
    mkdirSync(join(real, 'open'));
    if (name === 'link') symlinkSync(real, top);
    chmodSync(join(real, 'closed'), 0o700);
    const root = join(folder.path, 'docroot');
    mkdirSync(root, { recursive: true });
    const hidden = new PrivateFiles({ uid: statSync(root).uid + 1 }, root, [top]);
    const has = (place: string): boolean => {
      const file = join(real, place, 'a.txt');
      writeFileSync(file, '');
      const bytes = Buffer.from(file).toString('latin1');
      return hidden.has({ name: `/up/${place}/a.txt`, real: bytes, stats: statSync(file) });
    };
    expect([has('closed'), has('open')]).toEqual([true, false]);
  },
);
