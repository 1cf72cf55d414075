/**
 * The import law and the few other rules of this house that no linter knows. Each is a function from files to
 * offences, so that it can be tried on an offender, too: a law that finds nothing anywhere would hold for ever.
 */
import ts from 'typescript';
import { layerOf, type SourceFile, target, uses } from './source.ts';

// A layer may import the layers it names, and itself. Nobody imports index.ts: it is the shop window.
const mayImport: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  arguments: ['errors'],
  'socket-path': [],
  protocol: ['errors'],
  cgi: ['errors', 'arguments'],
  connection: ['errors', 'arguments', 'protocol', 'cgi'],
  pool: ['errors', 'arguments', 'protocol', 'cgi', 'connection'],
  upstream: ['errors', 'arguments', 'protocol', 'cgi', 'connection', 'pool'],
  // It is given what has the stats of a Pool.
  observe: ['errors', 'arguments', 'protocol', 'cgi', 'connection', 'pool'],
  // It is given a Dispatcher, and knows no Pool. node.ts hands on the status page.
  gateway: ['errors', 'arguments', 'protocol', 'cgi', 'pool', 'observe'],
  // The double shares nothing with the client but the words on the wire, lest it shares a bug.
  testing: ['errors', 'arguments', 'socket-path', 'protocol'],
  cli: ['errors', 'socket-path', 'protocol', 'cgi', 'connection', 'pool', 'upstream', 'gateway', 'observe'],
  index: ['errors', 'protocol', 'cgi', 'connection', 'pool', 'upstream'],
};

// Which package may be imported where: one place each, so that it can be replaced in one place.
const packageHome: Readonly<Record<string, RegExp>> = {
  'generic-pool': /^pool\/slots\/slots\.ts$/,
  '@opentelemetry/api': /^observe\/opentelemetry/,
  '@opentelemetry/instrumentation': /^observe\/opentelemetry/,
  compression: /^cli\/serve\/compressed\.ts$/,
  'on-headers': /^cli\/serve\/compressed\.ts$/,
  selfsigned: /^cli\/serve\/http\/tls\.ts$/,
};

// Optional peers that are imported all the same: whoever imports the file has them.
const importedPeers: Readonly<Record<string, string>> = {
  '@opentelemetry/api': 'observe/opentelemetry',
  '@opentelemetry/instrumentation': 'observe/opentelemetry',
  selfsigned: 'cli/serve/http/tls',
};

// Where nobody listens for errors, a process warning is what shows a developer that PHP-FPM is down.
const warner = 'gateway/warnings.ts';

// What the user names (a configuration, Vite) is not known beforehand.
const importer = 'cli/import-file.ts';

export const MAX_LINES = 300;
export const MAX_FILES = 14;

export type Law = (files: readonly SourceFile[], dependencies: readonly string[]) => string[];

export const laws: Readonly<Record<string, Law>> = {
  'imports go down only, and the test double knows nothing of the client': (files) =>
    files.flatMap((file) =>
      file.imports.flatMap((one) => {
        const to = target(file, one);
        if (to === undefined) return [];
        const layer = layerOf(to);
        const allowed = layer === file.layer || (mayImport[file.layer] ?? []).includes(layer);
        return allowed ? [] : [`${file.path} imports ${to}`];
      }),
    ),

  'every file belongs to a layer that has a place in the law': (files) =>
    files.filter((file) => mayImport[file.layer] === undefined).map((file) => file.path),

  'relative imports name a .ts file': (files) =>
    files.flatMap((file) =>
      file.imports
        .filter(
          (one) =>
            (one.from === '?' && file.path !== importer) ||
            (one.from.startsWith('.') && !one.from.endsWith('.ts')),
        )
        .map((one) => `${file.path} imports ${one.from}`),
    ),

  'no file depends on itself by way of others': (files) => cycles(files),

  'a package has one home': (files) =>
    files.flatMap((file) =>
      file.imports
        .filter(({ from }) => packageHome[from] !== undefined && !packageHome[from].test(file.path))
        .map(({ from }) => `${file.path} imports ${from}`),
    ),

  'what is no dependency is imported as a type only': (files, dependencies) =>
    files.flatMap((file) =>
      file.imports
        .filter(
          ({ from, typeOnly }) =>
            isForeign(from) &&
            !typeOnly &&
            !dependencies.includes(packageOf(from)) &&
            !file.path.startsWith(importedPeers[from] ?? '?'),
        )
        .map(({ from }) => `${file.path} imports ${from}`),
    ),

  'protocol and cgi know no socket, file, stream or timer': (files) =>
    files
      .filter(({ layer }) => layer === 'protocol' || layer === 'cgi')
      .flatMap((file) => [
        ...file.imports
          .filter((one) => !one.typeOnly && /^node:(?!buffer$|path$|path\/|util\/types$)/.test(one.from))
          .map((one) => `${file.path} imports ${one.from}`),
        ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask']
          .filter((name) => uses(file, name))
          .map((name) => `${file.path} uses ${name}`),
      ]),

  'a library neither prints nor touches the process: only the command line does, and one file warns': (
    files,
  ) =>
    files
      .filter(({ layer, path }) => layer !== 'cli' && path !== warner)
      .flatMap((file) => [
        ...['console', 'process']
          .filter((name) => uses(file, name))
          .map((name) => `${file.path} uses ${name}`),
        ...file.imports.filter(({ from }) => /^node:(process|console)$/.test(from)).map(() => file.path),
      ]),

  'the file that may warn does nothing else to the process': (files) =>
    files
      .filter(({ path }) => path === warner)
      .flatMap((file) => [
        ...['console', 'process']
          .filter((name) => uses(file, name))
          .map((name) => `${file.path} uses ${name}`),
        ...file.imports
          .filter(
            ({ from, names }) => /^node:(process|console)$/.test(from) && names.join() !== 'emitWarning',
          )
          .map(() => file.path),
      ]),

  // Jest loads a library in a context of its own, where Node's errors are not of its `Error`.
  'errors and bytes are known by what they have, not by a class, of which each context has its own': (
    files,
  ) =>
    files
      .filter(({ layer }) => layer !== 'cli')
      .flatMap(({ path, text }) =>
        [...text.matchAll(/instanceof (Error|AggregateError|Uint8Array)\b/g)].map(
          ([found]) => `${path}: ${found}`,
        ),
      ),

  'no module keeps a variable: state belongs to an object that somebody made': (files) =>
    files.flatMap((file) =>
      file.tree.statements
        .filter(
          (node) => ts.isVariableStatement(node) && (node.declarationList.flags & ts.NodeFlags.Const) === 0,
        )
        .map((node) => `${file.path}: ${node.getText(file.tree).slice(0, 60)}`),
    ),

  'one file of each folder says what the folder is': (files) =>
    [...folders(files)]
      .map(([folder, inside]) => ({
        folder,
        saying: inside.filter(({ text }) => text.includes('* This folder: ')),
      }))
      .filter(({ saying }) => saying.length !== 1)
      .map(({ folder, saying }) => `${folder}: ${saying.length}`),

  [`no folder holds more than ${MAX_FILES} files`]: (files) =>
    [...folders(files)]
      .filter(([, inside]) => inside.length > MAX_FILES)
      .map(([folder, inside]) => `${folder}: ${inside.length}`),

  [`no file is longer than ${MAX_LINES} lines`]: (files) =>
    files
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
      .filter(({ lines }) => lines > MAX_LINES)
      .map(({ path, lines }) => `${path}: ${lines}`),
};

/** By folder below src/; the files at its top have none. */
function folders(files: readonly SourceFile[]): Map<string, SourceFile[]> {
  const found = new Map<string, SourceFile[]>();
  for (const file of files) {
    const folder = file.path.split('/').slice(0, -1).join('/');
    if (folder !== '') found.set(folder, [...(found.get(folder) ?? []), file]);
  }
  return found;
}

function isForeign(from: string): boolean {
  return !from.startsWith('.') && !from.startsWith('node:') && from !== '?';
}

function packageOf(from: string): string {
  return from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/');
}

function cycles(files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      found.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
      return;
    }
    const file = byPath.get(path);
    if (file === undefined || done.has(path)) return;
    for (const one of file.imports) {
      const to = target(file, one);
      if (to !== undefined) visit(to, [...trail, path]);
    }
    done.add(path);
  };
  for (const { path } of files) visit(path, []);
  return found;
}
