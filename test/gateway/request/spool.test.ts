import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Spooled, spool } from '../../../src/gateway/request/spool.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fastcgi-pool-spool-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function* pieces(...sizes: number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (const size of sizes) {
    yield Buffer.from(Array.from({ length: size }, () => at++ % 251));
  }
}

function expected(size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, at) => at % 251));
}

async function read(spooled: Spooled): Promise<Buffer> {
  if (spooled.body instanceof Uint8Array) return Buffer.from(spooled.body);
  const chunks: Uint8Array[] = [];
  for await (const chunk of spooled.body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Files of ours that are open, though they have no name any more. */
function openFiles(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
    } catch {
      return false;
    }
  }).length;
}

describe('a spooled body', () => {
  it.each([
    ['nothing', [], 0],
    ['an empty piece', [0], 0],
    ['what just fits in memory', [50, 50], 0],
    ['one byte more', [50, 50, 1], 1],
    ['one large piece', [200_000], 1],
    ['many pieces', Array.from({ length: 300 }, () => 997), 1],
  ])('holds %s, in as many files as it needs', async (_, sizes, files) => {
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const spooled = await spool(pieces(...sizes), { memory: 100, size: 1_000_000, folder });
    expect(spooled?.length).toBe(total);
    expect(openFiles()).toBe(files);
    expect(readdirSync(folder)).toEqual([]);
    if (spooled) expect((await read(spooled)).equals(expected(total))).toBe(true);
    spooled?.release();
    await expect.poll(openFiles).toBe(0);
  });

  it('can be read twice, also at once, as a request may be sent again', async () => {
    const spooled = await spool(pieces(70_000, 70_000), { memory: 0, size: 1_000_000, folder });
    if (!spooled) throw new Error('it was refused');
    const [once, again] = await Promise.all([read(spooled), read(spooled)]);
    expect(once.equals(expected(140_000))).toBe(true);
    expect(again.equals(once)).toBe(true);
    spooled.release();
  });

  it('ends early, and breaks nothing, when it is released while it is read', async () => {
    const spooled = await spool(pieces(300_000), { memory: 0, size: 1_000_000, folder });
    if (!spooled || spooled.body instanceof Uint8Array) throw new Error('it is not in a file');
    let got = 0;
    for await (const chunk of spooled.body) {
      got += chunk.length;
      spooled.release();
    }
    expect(got).toBeLessThan(300_000);
    await expect.poll(openFiles).toBe(0);
  });

  it('that is too large is refused as soon as it is, and leaves nothing behind', async () => {
    let taken = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        taken += 1000;
        yield Buffer.alloc(1000);
      }
    }
    expect(await spool(endless(), { memory: 100, size: 10_000, folder })).toBeNull();
    expect(taken).toBe(11_000);
    expect(openFiles()).toBe(0);
  });

  it('whose source breaks off is an error, and leaves nothing behind', async () => {
    async function* broken(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(1000);
      throw new Error('gone');
    }
    await expect(spool(broken(), { memory: 100, size: 10_000, folder })).rejects.toThrow('gone');
    expect(openFiles()).toBe(0);
  });

  it('that finds no place on disk is an error', async () => {
    const limits = { memory: 10, size: 10_000, folder: join(folder, 'missing') };
    await expect(spool(pieces(100), limits)).rejects.toThrow(/"[^"]+" \(option spoolFolder; .*ENOENT/);
  });
});
