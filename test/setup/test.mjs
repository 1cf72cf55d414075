// npm test: all tests, those against the real servers included. Arguments go to vitest: `npm test -- test/cgi`.
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { prepare, project } from './machine.mjs';
import { programs } from './programs.mjs';

await prepare(Object.keys(programs));
await build(project, { types: true });

process.chdir(fileURLToPath(project));
// vitest takes this process over, so that signals reach it without a go-between.
const vitest = new URL('node_modules/vitest/vitest.mjs', project);
// An example that is itself a test is one for node:test; ours runs it as what it is.
// A promise that hangs is found in half a minute; a machine that is busy is not taken for one.
const run = ['run', '--exclude', 'examples/**', '--testTimeout=30000', '--hookTimeout=30000'];
process.argv = [process.argv[0], fileURLToPath(vitest), ...run, ...process.argv.slice(2)];
await import(vitest);
