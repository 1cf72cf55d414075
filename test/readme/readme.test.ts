/** What the README and docs/ say is true: their tables are the source's, their snippets the examples, and their links lead somewhere. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { documents, filled, read, sections, sectionsIn } from './sections.ts';

const root = new URL('../../', import.meta.url);

describe.each(documents)('%s', (path) => {
  const text = read(path);

  // UPDATE_README=1 fills it in.
  it('has the tables that the source makes, and the examples as they are', () => {
    const expected = filled(text);
    if (process.env['UPDATE_README'] === '1') writeFileSync(new URL(path, root), expected);
    else expect(text).toBe(expected);
  });

  it('links to files that are there, and to headings that they have', () => {
    for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link)) continue;
      const [file = '', heading] = link.split('#');
      const target = file === '' ? new URL(path, root) : new URL(file, new URL(path, root));
      expect(existsSync(target), link).toBe(true);
      if (heading !== undefined) expect(headingsOf(target), link).toContain(heading);
    }
  });
});

function headingsOf(document: URL): string[] {
  return [...read(document.pathname).matchAll(/^#+ (.*)$/gm)].map((found) =>
    (found[1] ?? '')
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replace(/\s/g, '-'),
  );
}

describe('the README and docs/', () => {
  it('have each section once', () => {
    const found = documents.flatMap((path) => sectionsIn(read(path)));
    expect(found.sort()).toEqual(Object.keys(sections).sort());
  });

  it('name every file in examples/', () => {
    const named = [...read('README.md').matchAll(/examples\/([\w.-]+\.mjs)/g)].map((found) => found[1]);
    const there = readdirSync(new URL('examples/', root)).filter((name) => name.endsWith('.mjs'));
    expect([...new Set(named)].sort()).toEqual(there.sort());
  });

  it('are short enough to be read: the README has no more than 250 lines', () => {
    expect(read('README.md').split('\n').length).toBeLessThanOrEqual(251);
  });
});
