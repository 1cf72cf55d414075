/** What leaves in the package, as whoever installs it finds it. `npm test` has built dist/. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Pool } from '../src/pool/pool.ts';

const project = new URL('../', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('package.json', project), 'utf8'));
const scripts = readdirSync(new URL('dist', project), { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.js'),
);

describe('the package', () => {
  it('can be read where it crashes: lines as in the source, classes with their names', async () => {
    for (const name of scripts) {
      const lines = readFileSync(new URL(`dist/${name}`, project), 'utf8').split('\n');
      expect(
        lines.filter((line) => line.length >= 1000).map((line) => `${name}: ${line.slice(0, 80)}`),
      ).toEqual([]);
    }
    const built: { Pool: typeof Pool } = await import(new URL('dist/index.js', project).href);
    await using pool = new built.Pool('unix:/nowhere/fpm.sock');
    const error: Error = await pool.request({ params: {} }).then(
      () => expect.fail('it was answered'),
      (reason) => reason,
    );
    expect(error.constructor.name).toBe('ArgumentError');
    expect(pool.constructor.name).toBe('Pool');
    expect(error.stack).toMatch(/at checkParams .*:\d+:\d+/);
  });

  it('has types for every entry, for older resolvers, too', () => {
    const entries: [string, { types: string; default: string } | string][] = Object.entries(manifest.exports);
    for (const [name, entry] of entries) {
      if (typeof entry === 'string') continue;
      expect(readFileSync(new URL(entry.types, project), 'utf8')).toContain('export');
      expect(readFileSync(new URL(entry.default, project), 'utf8')).toContain('export');
      const older =
        name === '.'
          ? [manifest.types]
          : manifest.typesVersions['*'][name.slice(2)].map((path: string) => `./${path}`);
      expect(older).toEqual([entry.types]);
    }
    expect(manifest.main).toBe(manifest.exports['.'].default);
  });

  it('keeps nobody from installing: peers are optional, and no newest version of them is too new', () => {
    for (const [name, range] of Object.entries(manifest.peerDependencies)) {
      expect(manifest.peerDependenciesMeta[name]).toEqual({ optional: true });
      expect(range).toMatch(/^>=\d+(\.\d+)?$/);
    }
  });
});
