import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findFpm, givenFpm, newestOf } from '../../../src/cli/fpm/find.ts';
import { UsageError } from '../../../src/cli/usage-error.ts';
import { need } from '../../fpm/support/child.ts';
import { tempDir } from '../../fpm/support/temp.ts';

const temp = tempDir();
afterAll(() => temp.remove());

/** A program that says of itself what a php-fpm would. */
function program(name: string, says: string, mode = 0o755): string {
  const path = join(temp.path, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho '${says}'\n`);
  chmodSync(path, mode);
  return path;
}

const fpm = (version: string): string => `PHP ${version} (fpm-fcgi) (built: today)`;

describe('the php-fpm that is found', () => {
  it('is the newest in PATH and the sbin folders, by version and not by name', async () => {
    program('bin/php-fpm8.2', fpm('8.2.99'));
    program('bin/php-fpm99', fpm('99.10.1'));
    program('bin/php-fpm', fpm('99.9.20'));
    program('bin/php-fpm100', fpm('100.0.0'), 0o644);
    program('bin/php-fpm98', 'PHP 101.0.0 (cli) (built: today)');
    program('bin/php-fpm-helper', fpm('102.0.0'));
    const found = await findFpm(`/does/not/exist:${join(temp.path, 'bin')}`, null);
    expect(found).toEqual({ path: join(temp.path, 'bin/php-fpm99'), kind: 'php-fpm', version: [99, 10, 1] });
  });

  it('is the newest of the version that is wanted', async () => {
    for (const version of ['97.1.10', '97.10.0', '97.2.0']) {
      program(`wanted/php-fpm${version.replace(/\.\d+$/, '')}`, fpm(version));
    }
    const path = join(temp.path, 'wanted');
    expect((await findFpm(path, '97.1')).version).toEqual([97, 1, 10]);
    expect((await findFpm(path, '97')).version).toEqual([97, 10, 0]);
    expect((await findFpm(path, '97.2.0')).version).toEqual([97, 2, 0]);
    await expect(findFpm(path, '97.3')).rejects.toThrow(
      /^--php 97\.3: no such PHP found; there is .*97\.10\.0 \(\/.*wanted\/php-fpm97\.10\)/,
    );
  });

  it('is a php-cgi where there is none', async () => {
    const path = program('cgi/php-cgi', 'PHP 8.3.2 (cgi-fcgi) (built: today)');
    program('cgi/php', 'PHP 8.3.2 (cli) (built: today)');
    const folder = join(temp.path, 'cgi');
    expect(await findFpm(folder, null, [])).toEqual({ path, kind: 'php-cgi', version: [8, 3, 2] });
    const older = program('cgi/php-fpm8.1', fpm('8.1.0'));
    expect(await findFpm(undefined, null, [folder])).toMatchObject({ path: older });
    expect(await findFpm(folder, '8.3', [])).toMatchObject({ path });
    await expect(findFpm(join(temp.path, 'nothing'), null, [])).rejects.toThrow(/^no php-fpm found in PATH/);
  });

  it('need not be in PATH', async () => {
    need('php-fpm');
    const found = await findFpm(undefined, null);
    expect(found.path).toMatch(/\/php-fpm[\d.]*$/);
    expect(found.version[0]).toBeGreaterThanOrEqual(7);
  });

  it('may be a release candidate', async () => {
    const path = program('php-fpm-rc', fpm('8.5.0RC2'));
    expect(await givenFpm('/', path)).toEqual({ path, kind: 'php-fpm', version: [8, 5, 0] });
  });

  it('is none of none', () => {
    expect(newestOf([])).toBeUndefined();
  });
});

it('--fpm names a php-fpm, or is refused', async () => {
  const path = program('own/fpm', fpm('8.3.1'));
  program('own/php', 'PHP 8.3.1 (cli) (built: today)');
  expect(await givenFpm(temp.path, 'own/fpm')).toEqual({ path, kind: 'php-fpm', version: [8, 3, 1] });
  for (const wrong of ['own/php', 'own', 'nothing']) {
    await expect(givenFpm(temp.path, wrong)).rejects.toThrow(
      new UsageError(`--fpm '${wrong}' is not a php-fpm or php-cgi that can be run`),
    );
  }
});

it('--fpm may be a name alone, which is looked for here and where php-fpm is', async () => {
  const path = program('named/php-fpm8.1-patched', fpm('8.1.30'));
  const found = { path, kind: 'php-fpm', version: [8, 1, 30] };
  const folder = join(temp.path, 'named');
  expect(await givenFpm('/', 'php-fpm8.1-patched', `/does/not/exist:${folder}`)).toEqual(found);
  expect(await givenFpm('/', 'php-fpm8.1-patched', undefined, [folder])).toEqual(found);
  const here = program('here/php-fpm8.1-patched', fpm('8.1.31'));
  expect(await givenFpm(join(temp.path, 'here'), 'php-fpm8.1-patched', folder)).toMatchObject({ path: here });
  await expect(givenFpm('/', 'named/php-fpm8.1-patched', temp.path)).rejects.toThrow(UsageError);
});
