/** What leaves in the package, as whoever installs it finds it. `npm test` has built dist/. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'tsup';
import { describe, expect, it, onTestFinished } from 'vitest';
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

  // Babel, as Jest has it, makes CommonJS of all that is loaded at once, and cannot do it where that is written.
  it('says import.meta in no file that an entry of the library loads at once', () => {
    const seen = new Set<string>();
    const read = (file: URL): void => {
      if (seen.has(file.href)) return;
      seen.add(file.href);
      const text = readFileSync(file, 'utf8');
      expect(/^(?!\s*(?:\/\/|\*)).*\bimport\.meta\b/m.exec(text)?.[0], file.href).toBeUndefined();
      for (const [, path = ''] of text.matchAll(
        /^(?:import|\} from|export .* from)[^'"]*["'](\.[^'"]+)["']/gm,
      ))
        read(new URL(path, file));
    };
    for (const entry of Object.values<{ default?: string }>(manifest.exports))
      if (entry.default !== undefined) read(new URL(entry.default, project));
    expect(seen.size).toBeGreaterThan(10);
  });

  it('runs from one file that esbuild makes, with the line that the README gives for it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bundle-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const dist = new URL('dist/', project).href.slice('file://'.length);
    const [, line] = /--banner:js="([^"]+)"/.exec(readFileSync(new URL('README.md', project), 'utf8')) ?? [];
    writeFileSync(
      join(folder, 'entry.mjs'),
      `import { Pool } from '${dist}index.js';
      import { createHandler } from '${dist}gateway/node.js';
      import { startFakeFpm } from '${dist}testing/index.js';
      import { createServer } from 'node:http';
      const fpm = await startFakeFpm();
      const pool = new Pool(fpm.address);
      const server = createServer(createHandler(pool, { root: import.meta.dirname, files: true })).listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      const response = await fetch('http://127.0.0.1:' + server.address().port + '/style.css');
      console.log(response.headers.get('content-type'), await response.text());
      const { body } = await pool.request({ params: { SCRIPT_FILENAME: '/a.php', REQUEST_METHOD: 'GET' } });
      console.log(await body.text());
      server.close(); server.closeAllConnections(); await pool.close(); await fpm.stop();`,
    );
    writeFileSync(join(folder, 'style.css'), 'a{}');
    await build({
      entry: [join(folder, 'entry.mjs')],
      outDir: folder,
      format: 'esm',
      outExtension: () => ({ js: '.bundle.mjs' }),
      noExternal: [/./],
      splitting: false,
      config: false,
      silent: true,
      banner: { js: line ?? '' },
    });
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'entry.bundle.mjs')]);
    expect(stdout).toBe('text/css; charset=utf-8 a{}\nok\n');
  });

  it('keeps nobody from installing: peers are optional, and no newest version of them is too new', () => {
    for (const [name, range] of Object.entries(manifest.peerDependencies)) {
      expect(manifest.peerDependenciesMeta[name]).toEqual({ optional: true });
      expect(range).toMatch(/^>=\d+(\.\d+)?$/);
    }
  });
});
