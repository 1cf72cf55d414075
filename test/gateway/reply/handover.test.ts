/** X-Accel-Redirect and X-Sendfile: what PHP may hand over, and how it is sent. */
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { handedFile } from '../../../src/gateway/reply/handed-file.ts';
import { type HandedOver, HandoverFiles } from '../../../src/gateway/reply/handover.ts';
import { replyHead } from '../../../src/gateway/reply/head.ts';
import { MediaTypes } from '../../../src/gateway/site/static/media-types.ts';
import { type AnyOptions, type Ask, adapters } from '../adapters.ts';
import { answer, FakeDispatcher, type Play } from '../fake-dispatcher.ts';
import { type TempSite, tempSite } from '../temp-site.ts';

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

const report = 'the report, all of it';

function files(): TempSite {
  const site = tempSite({ 'a.php': '', 'secret.txt': 'secret' });
  open.push(site.remove);
  const { outside } = site;
  mkdirSync(join(outside, 'deep'));
  mkdirSync(`${outside}-sibling`);
  writeFileSync(join(outside, 'report.pdf'), report);
  writeFileSync(join(outside, 'deep', 'a b%c.txt'), 'odd name');
  writeFileSync(join(outside, 'deep', 'na\u00efve.txt'), 'accent');
  writeFileSync(join(outside, 'deep', 'no. #1.txt'), 'number');
  writeFileSync(join(outside, 'empty.txt'), '');
  writeFileSync(join(`${outside}-sibling`, 'x.txt'), 'secret');
  symlinkSync(join(site.root, 'secret.txt'), join(outside, 'link.txt'));
  return site;
}

async function ask(
  name: string,
  play: Play,
  site: TempSite,
  asked: Partial<Ask> = {},
  options: AnyOptions = { xAccelRedirect: { '/protected/': site.outside }, xSendfile: [site.outside] },
): Promise<{
  status: number;
  headers: Record<string, unknown>;
  text: string;
  errors: unknown[];
  php: FakeDispatcher;
}> {
  const adapter = adapters.find((each) => each.name === name);
  if (!adapter) throw new Error(`There is no adapter ${name}`);
  const errors: unknown[] = [];
  const php = new FakeDispatcher(play);
  const onError = (error: unknown): void => void errors.push(error);
  const client = await adapter.serve(php, { root: site.root, onError, ...options });
  open.push(() => client.close());
  const { status, headers, body } = await client.open({ path: '/a.php', ...asked });
  let text = '';
  for await (const chunk of body) text += chunk;
  return { status, headers, text, errors, php };
}

function handing(header: string, value: string, ...more: string[]): Play {
  return answer(200, [header, value, 'Content-Type', 'application/pdf', ...more], 'not this');
}

describe.each(adapters)('through $name', ({ name }) => {
  it.each([
    ['X-Accel-Redirect', '/protected/report.pdf', report],
    ['X-Accel-Redirect', '/protected/deep/../report.pdf?x=1', report],
    ['x-accel-redirect', '/protected/deep/a%20b%25c.txt', 'odd name'],
    ['X-Accel-Redirect', '/protected/deep/na%c3%afve.txt', 'accent'],
    ['X-Accel-Redirect', '/protected/empty.txt', ''],
    // as Symfony has it: rawurlencode() of all
    ['X-Accel-Redirect', '%2Fprotected%2Fdeep%2Fa%20b%25c.txt', 'odd name'],
    ['X-Accel-Redirect', '%2fprotected%2freport.pdf', report],
    ['X-Accel-Redirect', '/protected/deep/no. #1.txt', 'number'],
    ['X-Accel-Redirect', '/protected/deep/no.%20%231.txt', 'number'],
    ['X-Sendfile', '{outside}/report.pdf', report],
    ['X-Sendfile', '{outside}/deep/a b%c.txt', 'odd name'],
  ])('%s: %s is that file, under the headers of PHP', async (header, value, content) => {
    const site = files();
    const disposition = 'attachment; filename=r.pdf';
    const path = value.replace('{outside}', site.outside);
    const more = [
      'Content-Disposition',
      disposition,
      'Content-Length',
      '8',
      'Set-Cookie',
      'a=1',
      'Set-Cookie',
      'b=2',
    ];
    const got = await ask(name, handing(header, path, ...more), site);
    expect(got).toMatchObject({ status: 200, text: content, errors: [] });
    expect(got.headers).toMatchObject({
      'content-type': 'application/pdf',
      'content-disposition': disposition,
      'content-length': String(content.length),
      'set-cookie': ['a=1', 'b=2'],
    });
    expect(got.headers).not.toHaveProperty(header.toLowerCase());
  });

  it.each([
    ['X-Accel-Redirect', '/elsewhere/report.pdf', 502],
    ['X-Accel-Redirect', '/protected', 502],
    ['X-Accel-Redirect', '/protected/../a.php', 502],
    ['X-Accel-Redirect', '/protected/%2e%2e/%2e%2e/etc/passwd', 502],
    ['X-Accel-Redirect', '/protected/report.pdf%00.txt', 502],
    ['X-Accel-Redirect', '%2Fprotected%2F..%2Fa.php', 502],
    ['X-Accel-Redirect', '%2F%2Fevil.example%2Fprotected%2Freport.pdf', 502],
    ['X-Accel-Redirect', 'http%3A%2F%2Fevil.example%2Fprotected%2Freport.pdf', 502],
    ['X-Accel-Redirect', '%252Fprotected%252Freport.pdf', 502],
    ['X-Accel-Redirect', '/protected/report.pdf#1', 404],
    ['X-Accel-Redirect', 'http://evil.example/protected/report.pdf', 502],
    ['X-Accel-Redirect', '/protected/link.txt', 502],
    ['X-Accel-Redirect', '/protected/deep', 404],
    ['X-Accel-Redirect', '/protected/none.pdf', 404],
    ['X-Accel-Redirect', '/protected/%ff', 404],
    ['X-Accel-Redirect', '/protected/100%.txt', 404],
    ['X-Sendfile', '/etc/passwd', 502],
    ['X-Sendfile', 'report.pdf', 502],
    ['X-Sendfile', '{outside}/../root/secret.txt', 502],
    ['X-Sendfile', '{outside}-sibling/x.txt', 502],
    ['X-Sendfile', '{outside}/link.txt', 502],
    ['X-Sendfile', '{outside}/none', 404],
  ])('%s: %s is no file, and the log is told why', async (header, value, status) => {
    const site = files();
    const got = await ask(name, handing(header, value.replace('{outside}', site.outside)), site);
    expect(got.status).toBe(status);
    expect(got.text).toMatch(/^\d{3} [A-Za-z ]+\n$/);
    const told = { message: expect.stringContaining('hands over'), executed: 'yes' };
    expect(got.errors).toEqual([
      expect.objectContaining({ ...told, hint: expect.stringMatching(/`x(Accel|Send)/) }),
    ]);
  });

  it('HEAD has the length of the file and nothing of it', async () => {
    const site = files();
    const got = await ask(name, handing('X-Sendfile', `${site.outside}/report.pdf`), site, {
      method: 'HEAD',
    });
    expect(got).toMatchObject({ status: 200, text: '' });
    expect(got.headers['content-length']).toBe(String(report.length));
  });

  it('without the option the page is sent as it is', async () => {
    const site = files();
    const got = await ask(name, handing('X-Accel-Redirect', '/protected/report.pdf'), site, {}, {});
    expect(got).toMatchObject({ status: 200, text: 'not this' });
    expect(got.headers).not.toHaveProperty('x-accel-redirect');
  });

  it('a script that goes on without end behind its file is stopped', async () => {
    const site = files();
    const got = await ask(
      name,
      (exchange) => {
        exchange.head(200, ['X-Accel-Redirect', '/protected/report.pdf']);
        for (let i = 0; i < 1000 && !exchange.aborted; i++) exchange.data(Buffer.alloc(8192));
      },
      site,
    );
    expect(got.text).toBe(report);
    expect(got.php.exchanges[0]?.aborted).toBe(true);
  });

  it('ranges and conditions of the client are answered', async () => {
    const site = files();
    const play = handing('X-Accel-Redirect', '/protected/report.pdf', 'ETag', '"v1"');
    const part = await ask(name, play, site, { headers: { range: 'bytes=4-9' } });
    expect(part).toMatchObject({ status: 206, text: 'report' });
    expect(part.headers['content-range']).toBe(`bytes 4-9/${report.length}`);
    const same = await ask(name, play, site, { headers: { 'if-none-match': '"v1"' } });
    expect(same).toMatchObject({ status: 304, text: '' });
    const beyond = await ask(name, play, site, { headers: { range: 'bytes=999-' } });
    expect(beyond).toMatchObject({ status: 416 });
    expect(beyond.headers['content-range']).toBe(`bytes */${report.length}`);
  });
});

describe('a file that is replaced between being found and being opened', () => {
  const types = new MediaTypes();
  beforeAll(async () => {
    await types.load();
  });
  const sent = (change: (path: string) => void): unknown => {
    const { outside } = files();
    const path = join(outside, 'report.pdf');
    const handovers = new HandoverFiles([], [outside]);
    const head = replyHead('HEAD', 200, '', ['X-Sendfile', path]);
    const find = (): HandedOver | null => handovers.find(head.handover);
    const found = find();
    if (found?.kind !== 'file') throw new Error(`It is ${found?.kind}`);
    change(path);
    const handed = handedFile(found, head, () => undefined, types, find);
    return 'head' in handed ? handed.head.contentLength : handed.statusCode;
  };

  it('is the new one where that was put in its place by a rename', () => {
    const length = sent((path) => {
      writeFileSync(`${path}.new`, 'another');
      renameSync(`${path}.new`, path);
    });
    expect(length).toBe('another'.length);
  });

  it.each([
    ['that is gone', (path: string) => rmSync(path)],
    [
      'that is a link to elsewhere now',
      (path: string) => {
        rmSync(path);
        symlinkSync('/etc/hostname', path);
      },
    ],
  ])('is no file %s', (_, change) => {
    expect(sent(change)).toBe(404);
  });
});
