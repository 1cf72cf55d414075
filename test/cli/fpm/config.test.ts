import { describe, expect, it } from 'vitest';
import { type FpmSetup, fpmArguments, fpmConfig } from '../../../src/cli/fpm/config.ts';

function setup(changes: Partial<FpmSetup> = {}): FpmSetup {
  return {
    program: { path: '/php-fpm', kind: 'php-fpm', version: [8, 2, 0] },
    children: 3,
    user: null,
    ini: [],
    statusPath: '/x',
    ...changes,
  };
}

describe('the configuration of our own php-fpm', () => {
  it('has as many workers as there are connections', () => {
    expect(fpmConfig(setup())).toMatch(/^pm = static\npm\.max_children = 3$/m);
  });

  it('names a user only where there is one to change to', () => {
    expect(fpmConfig(setup())).not.toMatch(/^(user|group)/m);
    expect(fpmConfig(setup({ user: { user: 'alice', group: 'staff' } }))).toMatch(
      /^user = alice\ngroup = staff$/m,
    );
  });

  it.each([
    [[7, 2, 34], false],
    [[7, 3, 0], true],
    [[8, 0, 0], true],
  ] as const)('for PHP %j has the settings of 7.3: %s', (version, has) => {
    const text = fpmConfig(setup({ program: { path: '/php-fpm', kind: 'php-fpm', version } }));
    // an older php-fpm does not start with a setting that it does not know
    expect(/^log_limit = /m.test(text)).toBe(has);
    expect(/^decorate_workers_output = no$/m.test(text)).toBe(has);
  });
});

describe('its arguments', () => {
  it('allow root only where root it is', () => {
    const as = (user: string): string[] => fpmArguments(setup({ user: { user, group: user } }), '/t', '/t/c');
    expect(as('root')).toContain('--allow-to-run-as-root');
    expect(as('alice')).not.toContain('--allow-to-run-as-root');
  });

  it("end with the user's own settings, which win", () => {
    const args = fpmArguments(
      setup({
        ini: [
          ['fastcgi.logging', '1'],
          ['a.b', 'c d'],
        ],
      }),
      '/t',
      '/t/c',
    );
    expect(args.slice(-4)).toEqual(['-d', 'fastcgi.logging=1', '-d', "a.b='c d'"]);
  });
});
