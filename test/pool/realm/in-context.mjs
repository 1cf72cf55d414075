// Loads dist/ as Jest does with ES modules, in a context that has an `Error` of its own, and prints what it makes of Node's errors.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createContext, runInContext, SourceTextModule, SyntheticModule } from 'node:vm';

const entry = new URL('../../../dist/index.js', import.meta.url);
const require = createRequire(entry);
// What the environment of Jest has of Node's own; not `Error`.
const given = [
  'AbortController',
  'AbortSignal',
  'Buffer',
  'ReadableStream',
  'TextDecoder',
  'Uint8Array',
  'clearImmediate',
  'clearInterval',
  'clearTimeout',
  'queueMicrotask',
  'setImmediate',
  'setInterval',
  'setTimeout',
];
const context = createContext(Object.fromEntries(given.map((name) => [name, globalThis[name]])));

const modules = new Map();
function moduleOf(name, from) {
  const id = name.startsWith('.') ? new URL(name, from).href : name;
  if (!modules.has(id)) modules.set(id, name.startsWith('.') ? ours(id) : nodes(id));
  return modules.get(id);
}

function ours(href) {
  const importModuleDynamically = async (name) => loaded(moduleOf(name, href));
  const options = { context, identifier: href, importModuleDynamically };
  return new SourceTextModule(readFileSync(new URL(href), 'utf8'), options);
}

async function loaded(module) {
  await module.link((name, { identifier }) => moduleOf(name, identifier));
  await module.evaluate();
  return module;
}

function nodes(name) {
  const exports = require(name);
  const names = [...new Set(['default', ...Object.keys(exports)])];
  const evaluate = function () {
    for (const one of names) this.setExport(one, one === 'default' ? exports : exports[one]);
  };
  return new SyntheticModule(names, evaluate, { context });
}

const { Pool } = (await loaded(ours(entry.href))).namespace;

const params = { SCRIPT_FILENAME: '/srv/index.php', REQUEST_METHOD: 'GET' };
async function ask(dispatcher) {
  try {
    const { body } = await dispatcher.request({ params });
    return await body.text();
  } catch ({ message, hint }) {
    return { message, hint };
  } finally {
    await dispatcher.close();
  }
}

const report = {
  contextIsForeign: !(new Error('of Node') instanceof runInContext('Error', context)),
  noSocket: await ask(new Pool('unix:/nowhere/fpm.sock', { connectTimeout: 50 })),
};
console.log(JSON.stringify(report));
