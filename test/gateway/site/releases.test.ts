/** Releases that share what has not changed, by hard links: the same file under two real paths. */
import {
  closeSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { readOptions } from '../../../src/gateway/settings.ts';
import { Site } from '../../../src/gateway/site/site.ts';
import { openFound } from '../../../src/gateway/site/static/site-files.ts';
import { tempSite } from '../temp-site.ts';

const temp = tempSite({});
const folder = join(temp.root, 'releases');
const current = join(temp.root, 'current');
afterAll(() => temp.remove());

const files = {
  'app.css': 'small',
  'packed.js': 'plain',
  'packed.js.gz': 'gz',
  'large.bin': 'x'.repeat(100_000),
};

function switchTo(release: string): void {
  symlinkSync(join(folder, release), `${current}.new`);
  renameSync(`${current}.new`, current);
}

/** What `rsync --link-dest` makes where nothing has changed. */
function share(from: string, to: string): void {
  mkdirSync(join(folder, to));
  for (const name of Object.keys(files)) linkSync(join(folder, from, name), join(folder, to, name));
}

beforeEach(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, '1'), { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, '1', name), content);
  switchTo('1');
});

describe.each(['app.css', 'packed.js', 'large.bin'])('%s, which two releases share', (name) => {
  async function served(): Promise<() => Promise<string>> {
    const settings = readOptions({ root: current, files: true });
    await settings.mediaTypes.load();
    const site = new Site(settings);
    const url = `/${name}`;
    return async () => {
      await nextTurn();
      const plan = site.plan({ method: 'GET', url, originalUrl: url });
      if (plan.kind !== 'file') throw new Error(plan.kind);
      return site.send(plan.file, 'gzip', (file) => {
        closeSync(openFound(file));
        return `${file.size} ${file.fields.includes('gzip') ? 'packed' : 'plain'}`;
      });
    };
  }
  const expected = { 'app.css': '5 plain', 'packed.js': '2 packed', 'large.bin': '100000 plain' }[name];

  it('is sent at once where the old one is removed behind the switch', async () => {
    const send = await served();
    expect(await send()).toBe(expected);
    share('1', '2');
    switchTo('2');
    rmSync(join(folder, '1'), { recursive: true });
    expect(await send()).toBe(expected);
  });

  it('is sent at once where the old one is made the next', async () => {
    const send = await served();
    expect(await send()).toBe(expected);
    share('1', '2');
    switchTo('2');
    for (const one of Object.keys(files)) {
      unlinkSync(join(folder, '1', one));
      writeFileSync(join(folder, '1', one), 'what is to come next');
    }
    expect(await send()).toBe(expected);
  });

  it('is sent at once where the folder got another name and the link with it', async () => {
    const send = await served();
    expect(await send()).toBe(expected);
    renameSync(join(folder, '1'), join(folder, 'first'));
    switchTo('first');
    expect(await send()).toBe(expected);
  });
});
