// Makes a fresh machine ready: Node, npm and a clone of this project are all it has to have.
//
//   node test/setup/machine.mjs [PROGRAM...]     PROGRAM is a name of programs.mjs, or `all`
import { fileURLToPath } from 'node:url';
import { prepareModules } from './modules.mjs';
import { programs } from './programs.mjs';
import { fail } from './say.mjs';
import { prepareSystem } from './system.mjs';

export const project = new URL('../../', import.meta.url);

/** npm packages and system programs; returns when all is there, ends the process where that cannot be. */
export async function prepare(names) {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(`Node ${process.versions.node} is too old: this needs 20.19 or later (https://nodejs.org)`);
  }
  await prepareModules(project);
  await prepareSystem(names);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.slice(2).flatMap((name) => (name === 'all' ? Object.keys(programs) : [name]));
  const unknown = names.find((name) => !Object.hasOwn(programs, name));
  if (unknown !== undefined)
    fail(`unknown program ${unknown}: there are ${Object.keys(programs).join(', ')}`);
  await prepare(names);
}
