/** What `import 'fastcgi-pool'` costs beside `import 'express'`, in a new process each: time beyond an empty one's, and bytes of our own code. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { median } from '../lib/measure.ts';
import type { Row } from '../lib/table.ts';

const run = promisify(execFile);

export async function start(project: URL, turns: number): Promise<Row[]> {
  const entry = new URL('dist/index.js', project);
  const times = { ours: [] as number[], express: [] as number[] };
  for (let turn = 0; turn < 2 * turns + 1; turn++) {
    times.ours.push(await timeOf(entry.href, project));
    times.express.push(await timeOf('express', project));
  }
  const [ours, express] = [median(times.ours), median(times.express)];
  const size = loaded(entry).reduce((sum, file) => sum + readFileSync(file).length, 0) / 1024;
  return [
    {
      what: "import 'fastcgi-pool', ms",
      ours: ours.toFixed(1),
      other: `import 'express' ${express.toFixed(1)}`,
      ratio: ours / express,
      most: 0.4,
    },
    {
      what: 'our own code that loads, KiB, not minified',
      ours: size.toFixed(0),
      other: '',
      ratio: Number.NaN,
    },
  ];
}

async function timeOf(name: string, cwd: URL): Promise<number> {
  const script = `const t = performance.now(); await import(${JSON.stringify(name)}); process.stdout.write(String(performance.now() - t));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd });
  return Number(stdout);
}

/** A file of the build and all that it imports statically from there. */
function loaded(entry: URL): URL[] {
  const found = new Map([[entry.href, entry]]);
  for (const file of found.values()) {
    for (const [, from] of readFileSync(file, 'utf8').matchAll(
      /from\s*"(\.[^"]+)"|^import\s*"(\.[^"]+)"/gm,
    )) {
      if (from === undefined) continue;
      const imported = new URL(from, file);
      found.set(imported.href, imported);
    }
  }
  return [...found.values()];
}
