// npm run bench: what a request costs, beside floors and rivals, in one table. What it can be told: main.ts.
import { fileURLToPath } from 'node:url';
import { build as buildLibrary } from '../setup/build.mjs';
import { prepare, project } from '../setup/machine.mjs';
import { programs } from '../setup/programs.mjs';

await prepare(Object.keys(programs));

// What users import is measured, too.
await buildLibrary(project);
// Not before now: it may have been installed just this moment.
const { build } = await import('tsup');
const bundle = new URL('node_modules/.cache/fastcgi-pool/bench/', project);
const entries = [
  'main',
  'servers/responder',
  'servers/gateway',
  'servers/gateway-floor',
  'servers/file-floor',
  'servers/neighbour',
  'servers/worth',
  'servers/lag',
];
await build({
  config: false,
  entry: Object.fromEntries(
    entries.map((name) => [
      name.replace('servers/', ''),
      fileURLToPath(new URL(`${name}.ts`, import.meta.url)),
    ]),
  ),
  format: 'esm',
  target: 'node20',
  outDir: fileURLToPath(bundle),
  silent: true,
});
const { bench } = await import(new URL('main.js', bundle).href);
process.exitCode = await bench(process.argv.slice(2), bundle);
