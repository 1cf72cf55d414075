/** What is taken for a file that was found: it, or a packed copy beside it. */
import { statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Files, FoundFile } from '../../../../src/gateway/site/files.ts';
import { filesSettings } from '../../../../src/gateway/site/static/files-options.ts';
import { MediaTypes } from '../../../../src/gateway/site/static/media-types.ts';
import { SiteFiles } from '../../../../src/gateway/site/static/site-files.ts';
import { tempSite } from '../../temp-site.ts';

const site = tempSite({ 'app.js': 'plain', 'app.js.gz': 'packed' });
afterAll(() => site.remove());

const types = new MediaTypes();
beforeAll(async () => {
  await types.load();
});

it.each([6, 100_000])(
  'a packed copy of %i bytes that cannot be opened costs nothing: the file itself is sent',
  (size) => {
    writeFileSync(join(site.root, 'app.js.gz'), 'x'.repeat(size));
    const plain = join(site.root, 'app.js');
    const found: FoundFile = { name: '/app.js', real: plain, stats: statSync(plain) };
    const packed: FoundFile = {
      name: '/app.js.gz',
      real: `${plain}.gz`,
      stats: statSync(`${plain}.gz`),
    };
    const siblings = (sibling: FoundFile): Files => ({
      choose: () => ({ kind: 'pass' }),
      lookAnew: () => {},
      sibling: (_file, ending) => (ending === '.gz' ? sibling : null),
    });
    const settings = filesSettings(true);
    if (settings === null) throw new Error('they are sent');
    const headers = (sibling: FoundFile): readonly string[] =>
      new SiteFiles(siblings(sibling), settings, types).take(found, 'gzip').fields;

    expect(headers(packed)).toContain('Content-Encoding');
    const vain = headers({ ...packed, real: '/nothing/at/all' });
    expect(vain).not.toContain('Content-Encoding');
    expect(vain).toContain('Vary');
    expect(vain).toContain('5');
  },
);

describe('a small file is remembered', () => {
  const path = join(site.root, 'style.css');
  const nobody: Files = { choose: () => ({ kind: 'pass' }), lookAnew: () => {}, sibling: () => null };
  afterEach(() => void vi.useRealTimers());

  /** Whether the second request for it is sent what the first one was, so many ms after it was written. */
  function isRemembered(ms: number): boolean {
    const settings = filesSettings(true);
    if (settings === null) throw new Error('they are sent');
    const files = new SiteFiles(nobody, settings, types);
    const stats = statSync(path);
    vi.useFakeTimers({ toFake: ['Date'], now: stats.ctimeMs + ms });
    const found: FoundFile = { name: '/style.css', real: path, stats };
    const first = files.take(found, undefined);
    return files.take(found, undefined) === first;
  }

  it('once a change would give it another time, where a file system counts in seconds or, as FAT, in two of them', () => {
    writeFileSync(path, 'color: red');
    expect([900, 1900, 2100].map(isRemembered)).toEqual([false, false, true]);
  });

  it('whatever time it says of itself', () => {
    for (const said of ['2001-01-01', '2090-01-01']) {
      writeFileSync(path, 'color: red');
      utimesSync(path, new Date(said), new Date(said));
      expect([1900, 2100].map(isRemembered)).toEqual([false, true]);
    }
  });
});
