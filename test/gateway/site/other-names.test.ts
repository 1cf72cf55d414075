/** A file system may find a file by another name than its own: what is never sent is not sent by that name either. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createFetchHandler } from '../../../src/gateway/fetch.ts';
import { isNeverSent, isSource } from '../../../src/gateway/site/never-sent.ts';
import { filesSettings } from '../../../src/gateway/site/static/files-options.ts';
import { answer, FakeDispatcher } from '../fake-dispatcher.ts';
import { tempSite } from '../temp-site.ts';

const bytes = (text: string): string => Buffer.from(text).toString('latin1');

describe('is never sent by', () => {
  it.each([
    ...[
      'ENV~1',
      'env~1',
      'GIT~1/config',
      'a/GIT~1/objects/x.js',
      'GIT~10/HEAD',
      'GI7EBA~1/config',
      'GIT~1./HEAD',
    ],
    ...['HTPASS~1', 'COMPOS~1.JSO', 'CONFIG~1.YAM', 'ENV~1.LOC', 'X~1.TWI', 'HTPASS~1.', 'A~1 /config'],
  ])('the short name %s', (path) => {
    expect(isNeverSent(`/${path}`)).toBe(true);
  });

  it.each([
    'x.ini::$DATA',
    'a.css::$DATA',
    'keys::$INDEX_ALLOCATION/a.css',
    'WEB-INF./a.class',
    'CVS /Entries',
  ])('the name %s, which is that of a file on NTFS', (path) => {
    expect(isNeverSent(`/${path}`)).toBe(true);
  });

  it.each([
    ...['dump.\u017fql', 'a.\u212aey', 'a.\u212ADBX', 'pa\u00dfwd', 'package.j\u017fon'],
    ...['\u200c.env', '.\u200cgit/config', '\u200c.git/config', 'a.i\u200cni', 'a.p\u00adhp'],
  ])('%j, where neither case nor spelling counts', (path) => {
    expect(isNeverSent(bytes(`/${path}`))).toBe(true);
  });

  it('a name that hides that of a script: no other handler may show it either', () => {
    expect(isSource(bytes('/a.p\u200chp'))).toBe(true);
    expect(isSource(bytes('/a.a\u017fp'))).toBe(true);
  });
});

it.each([
  ...[
    'INDEX~1.HTM',
    'photo~1.jpg',
    'main~1.js',
    'report~2024',
    'a~b/c.txt',
    '~user/c.txt',
    'a-long-name~1/c.txt',
    'x~1y/c.txt',
  ],
  ...[
    'caf\u00e9.txt',
    'stra\u00dfe.txt',
    '\u30d5\u30a1\u30a4\u30eb.zip',
    '\u2026and more.pdf',
    'a:b.txt',
    'C++::x.txt',
    '\u0130stanbul.txt',
    '.well-known/caf\u00e9.txt',
  ],
])('%s is sent', (path) => {
  expect(isNeverSent(bytes(`/${path}`))).toBe(false);
});

describe('through a handler', () => {
  const site = tempSite({ 'a.php': '' });
  afterAll(site.remove);
  const php = createFetchHandler(new FakeDispatcher(answer(200, [], 'page')), {
    root: site.root,
    files: true,
  });

  it.each([
    ['/GIT~1/config', 404],
    ['/ENV~1', 404],
    ['/dump.\u017fql', 404],
    ['/index.p\u200chp', 404],
    ['/caf\u00e9.txt', 200],
    ['/INDEX~1.HTM', 200],
  ])('%j, which is there, is answered %i', async (path, status) => {
    const file = join(site.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, 'secret');
    const response = await php(new Request(`http://a${encodeURI(path)}`));
    expect(response.status).toBe(status);
    await response.text();
  });
});

describe('files.allow is for endings, whatever the rest of the name: of what is hidden nothing is sent by another name', () => {
  const { isNeverSent: isRefused } = filesSettings({ allow: ['.conf', '.ini', '/config'] }) ?? {};

  it.each([
    ...[
      'GIT~1/x.conf',
      'git~1/config',
      'a/GIT~1./b/x.conf',
      'GI\u200cT~1/x.conf',
      'keys::$INDEX_ALLOCATION/x.conf',
    ],
    ...['\u200c.git/config', '.\u200cgit/x.conf', 'user~1.ini', 'USER~1.ini'],
  ])('%j', (path) => {
    expect(isRefused?.(bytes(`/${path}`))).toBe(true);
  });

  it.each(['x.conf', 'CVS/x.conf', 'a~b/x.ini', 'a-long-name~1/x.ini', 'INDEX~1.HTM', 'caf\u00e9/x.conf'])(
    '%s is sent',
    (path) => {
      expect(isRefused?.(bytes(`/${path}`))).toBe(false);
    },
  );
});
