/** The laws of architecture/laws.ts, tried on the sources and each on an offender. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { laws, MAX_FILES, MAX_LINES } from './architecture/laws.ts';
import { parse } from './architecture/source.ts';

const home = new URL('../src/', import.meta.url);
const files = readdirSync(home, { recursive: true, encoding: 'utf8' })
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.ts'))
  .map((name) => parse(name, readFileSync(new URL(name, home), 'utf8')));
const manifest: { dependencies: Record<string, string> } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
);

describe.each(Object.entries(laws))('%s', (_, law) => {
  it('holds for every file of src', () => {
    expect(files.length).toBeGreaterThan(10);
    expect(law(files, Object.keys(manifest.dependencies))).toEqual([]);
  });
});

/** For each law files that break it, and what it says of them. */
const offenders: Readonly<Record<keyof typeof laws, readonly [Record<string, string>, string[]]>> = {
  'imports go down only, and the test double knows nothing of the client': [
    {
      'cgi/a.ts': "import { x } from '../pool/pool.ts';",
      'testing/b.ts': "export * from '../connection/c.ts';",
      'cli/c.ts': "const d = await import('../index.ts');",
      'protocol/d.ts': "import { x } from '../errors.ts'; import { y } from './e.ts';",
      'observe/e.ts': "import { x } from '../gateway/node.ts'; import { y } from '../pool/pool.ts';",
      'pool/f.ts': "import { x } from '../observe/prometheus.ts';",
    },
    [
      'cgi/a.ts imports pool/pool.ts',
      'testing/b.ts imports connection/c.ts',
      'cli/c.ts imports index.ts',
      'observe/e.ts imports gateway/node.ts',
      'pool/f.ts imports observe/prometheus.ts',
    ],
  ],
  'every file belongs to a layer that has a place in the law': [{ 'utils/a.ts': '' }, ['utils/a.ts']],
  'relative imports name a .ts file': [{ 'cgi/a.ts': "import './b.js';" }, ['cgi/a.ts imports ./b.js']],
  'no file depends on itself by way of others': [
    { 'cgi/a.ts': "import './b.ts';", 'cgi/b.ts': "import type { T } from './a.ts';" },
    ['cgi/a.ts -> cgi/b.ts -> cgi/a.ts'],
  ],
  'a package has one home': [
    { 'upstream/a.ts': "import { createPool } from 'generic-pool';" },
    ['upstream/a.ts imports generic-pool'],
  ],
  'what is no dependency is imported as a type only': [
    {
      'gateway/a.ts':
        "import type { T } from 'fastify'; import { type U } from 'koa'; import x from 'express';",
      'observe/prometheus.ts': "import client from 'prom-client'; import '@opentelemetry/api';",
      'observe/opentelemetry.ts': "import { trace } from '@opentelemetry/api';",
    },
    [
      'gateway/a.ts imports express',
      'observe/prometheus.ts imports prom-client',
      'observe/prometheus.ts imports @opentelemetry/api',
    ],
  ],
  'protocol and cgi know no socket, file, stream or timer': [
    { 'protocol/a.ts': "import { Socket } from 'node:net'; setTimeout(f, 1);" },
    ['protocol/a.ts imports node:net', 'protocol/a.ts uses setTimeout'],
  ],
  'the file that may warn does nothing else to the process': [
    {
      'gateway/warnings.ts': "import { emitWarning, exit } from 'node:process'; console.log(1);",
      'gateway/a.ts': 'console.log(1);',
    },
    ['gateway/warnings.ts uses console', 'gateway/warnings.ts'],
  ],
  'a library neither prints nor touches the process: only the command line does, and one file warns': [
    {
      'gateway/warnings.ts': "import { emitWarning } from 'node:process';",
      'gateway/a.ts': 'console.log(1);',
      'cli/b.ts': 'console.log(1);',
      'cgi/c.ts': 'x.process = { console: 1 };',
    },
    ['gateway/a.ts uses console'],
  ],
  'errors and bytes are known by what they have, not by a class, of which each context has its own': [
    {
      'pool/a.ts': 'if (x instanceof Error) y(); if (x instanceof ErrorPage) y();',
      'gateway/b.ts': 'x instanceof Uint8Array;',
      'cli/c.ts': 'x instanceof Error;',
    },
    ['pool/a.ts: instanceof Error', 'gateway/b.ts: instanceof Uint8Array'],
  ],
  'no module keeps a variable: state belongs to an object that somebody made': [
    { 'cgi/a.ts': 'let count = 0; const x = 1;' },
    ['cgi/a.ts: let count = 0;'],
  ],
  'one file of each folder says what the folder is': [
    {
      'errors.ts': '',
      'cgi/a.ts': '',
      'pool/a.ts': '/**\n * This folder: a.\n */',
      'pool/b.ts': '/**\n * This folder: b.\n */',
      'pool/retry/a.ts': '/**\n * This folder: a.\n */',
    },
    ['cgi: 0', 'pool: 2'],
  ],
  [`no folder holds more than ${MAX_FILES} files`]: [
    Object.fromEntries(
      Array.from({ length: 29 }, (_, i) => [`${i < 15 ? 'pool' : 'pool/retry'}/${i}.ts`, ''] as const),
    ),
    ['pool: 15'],
  ],
  [`no file is longer than ${MAX_LINES} lines`]: [
    { 'cgi/a.ts': '\n'.repeat(300), 'cgi/b.ts': '\n'.repeat(301) },
    ['cgi/b.ts: 301'],
  ],
};

it.each(Object.entries(offenders))('the law "%s" finds its offender', (name, [sources, offences]) => {
  const bad = Object.entries(sources).map(([path, text]) => parse(path, text));
  expect(laws[name]?.(bad, ['generic-pool'])).toEqual(offences);
});

it('every law has an offender to prove it', () => {
  expect(Object.keys(offenders).sort()).toEqual(Object.keys(laws).sort());
});
