/** The README is true: its tables are the source's, its snippets the examples, and its commands do what it says. */
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { filled, read } from './sections.ts';

const readme = read('README.md');

describe('the README', () => {
  // UPDATE_README=1 fills it in.
  it('has the tables that the source makes, and the examples as they are', () => {
    const expected = filled(readme);
    if (process.env['UPDATE_README'] === '1')
      writeFileSync(new URL('../../README.md', import.meta.url), expected);
    else expect(readme).toBe(expected);
  });

  it('names every file in examples/ that it names as one that is there', () => {
    const named = [...readme.matchAll(/<!-- (examples\/[\w.-]+) -->/g)].map((found) => found[1] ?? '');
    expect(named.length).toBeGreaterThan(3);
    for (const path of named) expect(read(path)).not.toBe('');
  });
});
