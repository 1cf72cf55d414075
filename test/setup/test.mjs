// npm test: all tests, those against the real servers included. Arguments go to vitest: `npm test -- test/cgi`.
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from './build.mjs';
import { prepare, project } from './machine.mjs';
import { programs } from './programs.mjs';
import { runArguments, vitest } from './vitest.mjs';

await prepare(Object.keys(programs));
await build(project, { types: true });

process.chdir(fileURLToPath(project));
// vitest takes this process over, so that signals reach it without a go-between.
process.argv = [process.argv[0], vitest, ...runArguments, ...process.argv.slice(2)];
await import(pathToFileURL(vitest));
