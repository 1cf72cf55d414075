/** What `import 'fastcgi-pool'` costs: time beyond an empty process's, and bytes of our own code. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { median } from '../lib/measure.ts';
import type { Row } from '../lib/table.ts';

const run = promisify(execFile);

export async function start(project: URL, turns: number): Promise<Row[]> {
  const entry = new URL('dist/index.js', project);
  const script = `const t = performance.now(); await import(${JSON.stringify(entry.href)}); process.stdout.write(String(performance.now() - t));`;
  const times: number[] = [];
  for (let turn = 0; turn < 2 * turns + 1; turn++) {
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script]);
    times.push(Number(stdout));
  }
  const time = median(times);
  const size = loaded(entry).reduce((sum, file) => sum + readFileSync(file).length, 0) / 1024;
  return [
    { what: "import 'fastcgi-pool', ms", ours: time.toFixed(1), other: '15', ratio: time / 15, most: 1 },
    { what: 'our own code that loads, KiB', ours: size.toFixed(1), other: '60', ratio: size / 60, most: 1 },
  ];
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
