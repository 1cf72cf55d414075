// npm run storm: no request runs twice, and none that never ran is failed. What it can be told: args.ts.
import { cpSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { prepare, project } from '../../setup/machine.mjs';
import { programs } from '../../setup/programs.mjs';

await prepare(Object.keys(programs));

// Not before now: it may have been installed just this moment.
const { build } = await import('tsup');
const bundle = new URL('node_modules/.cache/fastcgi-pool/storm/', project);
await build({
  config: false,
  entry: [fileURLToPath(new URL('main.ts', import.meta.url))],
  format: 'esm',
  target: 'node20',
  outDir: fileURLToPath(bundle),
  sourcemap: 'inline',
  silent: true,
});
// Servers other than php-fpm are started from there, seen from the bundle.
cpSync(new URL('../../interop/programs/', import.meta.url), new URL('../programs/', bundle), {
  recursive: true,
});
const { storm } = await import(new URL('main.js', bundle).href);
process.exitCode = await storm(process.argv.slice(2));
