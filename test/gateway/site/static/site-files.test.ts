/** What is taken for a file that was found: it, or a packed copy beside it. */
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
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
