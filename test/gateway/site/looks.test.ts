/** How long what was seen of a file counts. */
import { channel } from 'node:diagnostics_channel';
import { closeSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createHandler, type NodeHandler } from '../../../src/gateway/node.ts';
import { readOptions } from '../../../src/gateway/settings.ts';
import { Site } from '../../../src/gateway/site/site.ts';
import { openFound } from '../../../src/gateway/site/static/site-files.ts';
import { FakeDispatcher } from '../fake-dispatcher.ts';
import { type RawServer, rawServer, responses } from '../raw.ts';
import { tempSite } from '../temp-site.ts';

const temp = tempSite({});
const path = join(temp.root, 'a.txt');
beforeEach(() => writeFileSync(path, 'first'));
afterEach(() => void vi.useRealTimers());
afterAll(() => temp.remove());

describe('what was seen of a file', () => {
  const settings = readOptions({ root: temp.root, files: true });
  const site = new Site(settings);
  beforeAll(async () => {
    await settings.mediaTypes.load();
  });
  const sizeFor = (isDirect: boolean): number | string => {
    const plan = site.plan({ method: 'GET', url: '/a.txt', originalUrl: '/a.txt' }, isDirect);
    return plan.kind === 'file' ? plan.file.stats.size : plan.kind;
  };

  it('holds for this turn of the event loop, where requests come straight from the server', async () => {
    await nextTurn();
    expect(sizeFor(true)).toBe(5);
    writeFileSync(path, 'changed');
    expect(sizeFor(true)).toBe(5);
    await nextTurn();
    expect(sizeFor(true)).toBe(7);
    writeFileSync(path, 'changed again');
    await nextTurn();
    expect(sizeFor(true)).toBe(13);
  });

  it('holds no longer where tests have mocked the timers', async () => {
    await nextTurn();
    vi.useFakeTimers();
    expect(sizeFor(true)).toBe(5);
    writeFileSync(path, 'changed');
    await nextTurn();
    expect(sizeFor(true)).toBe(7);
  });

  it('holds for nobody else', async () => {
    await nextTurn();
    expect(sizeFor(true)).toBe(5);
    writeFileSync(path, 'changed');
    expect(sizeFor(false)).toBe(7);
    expect(sizeFor(true)).toBe(7);
  });

  it('is not what its headers say where it was changed before it was read', async () => {
    await nextTurn();
    const plan = site.plan({ method: 'GET', url: '/a.txt', originalUrl: '/a.txt' }, true);
    writeFileSync(path, 'changed');
    const file = plan.kind === 'file' ? site.send(plan.file, undefined, (one) => one) : null;
    expect([file?.content?.toString(), file?.size]).toEqual(['changed', 7]);
    expect(file?.fields).toEqual(expect.arrayContaining(['Content-Length', '7', 'ETag', file?.etag]));
    await nextTurn();
    const next = site.plan({ method: 'GET', url: '/a.txt', originalUrl: '/a.txt' }, true);
    const again = next.kind === 'file' ? site.send(next.file, undefined, (one) => one) : null;
    expect([again?.etag, again?.content?.toString()]).toEqual([file?.etag, 'changed']);
  });

  it('is found again where it was replaced before it was opened', async () => {
    await nextTurn();
    const plan = site.plan({ method: 'GET', url: '/a.txt', originalUrl: '/a.txt' }, true);
    if (plan.kind !== 'file') throw new Error(plan.kind);
    const replace = (content: string): void => {
      writeFileSync(`${path}.new`, content);
      renameSync(`${path}.new`, path);
    };
    replace('another');
    expect(site.send(plan.file, undefined, (file) => String(file.content))).toBe('another');
    // a large one is opened as it is sent
    replace('x'.repeat(100_000));
    let count = 0;
    const sent = site.send(plan.file, undefined, (file) => {
      if (count++ < 3) replace('y'.repeat(100_000 + count));
      closeSync(openFound(file));
      return file.size;
    });
    expect([sent, count]).toEqual([100_003, 4]);
    rmSync(path);
    symlinkSync('/etc/hostname', path);
    expect(() => site.send(plan.file, undefined, (file) => file.size)).toThrow('replaced');
    rmSync(path);
  });
});

describe('createHandler', () => {
  let server: RawServer | undefined;
  let count = 0;
  const make = (): void => {
    if (count++ === 1) writeFileSync(join(temp.root, 'late.txt'), 'here');
  };
  const handler = createHandler(new FakeDispatcher(), { root: temp.root, files: true });

  /** Of three requests in one packet. */
  async function statuses(listener: NodeHandler): Promise<string[]> {
    server = await rawServer(listener);
    const get = 'GET /late.txt HTTP/1.1\r\nHost: a\r\n';
    const { text } = await server.exchange(`${get}\r\n${get}\r\n${get}Connection: close\r\n\r\n`);
    return responses(text).map((response) => response.slice('HTTP/1.1 '.length, 'HTTP/1.1 404'.length));
  }

  beforeEach(() => {
    count = 0;
    rmSync(join(temp.root, 'late.txt'), { force: true });
  });
  afterEach(() => server?.close());

  it('looks anew for a request that somebody else has had in hand: it may have made the file', async () => {
    const sent = await statuses((request, response) => {
      make();
      handler(request, response);
    });
    expect(sent).toEqual(['404', '200', '200']);
  });

  it('looks once for requests that come in one go and straight from the server', async () => {
    const started = channel('http.server.request.start');
    started.subscribe(make);
    try {
      expect(await statuses(handler)).toEqual(['404', '404', '404']);
    } finally {
      started.unsubscribe(make);
    }
    expect(count).toBe(3);
  });
});
