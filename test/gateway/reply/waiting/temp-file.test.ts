import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TempFile } from '../../../../src/gateway/reply/waiting/temp-file.ts';
import { fullDisk, type TempDir, tempDir } from '../../../fpm/support/index.ts';
import { openFilesIn } from '../../open-files.ts';

let folder: TempDir;
beforeEach(() => {
  folder = tempDir('temp-file-');
});
afterEach(() => folder.remove());

function bytes(size: number, from = 0): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, at) => (from + at) % 251));
}

async function takeAll(file: TempFile): Promise<Buffer> {
  const taken: Buffer[] = [];
  while (!file.isEmpty) taken.push(await file.take());
  return Buffer.concat(taken);
}

describe('a file of a reply', () => {
  it('gives its bytes in their order, also between those that are put', async () => {
    const file = new TempFile({ size: 1_000_000, folder: folder.path });
    await file.put(bytes(100_000));
    const first = await file.take();
    await file.put(bytes(50_000, 100_000));
    const rest = await takeAll(file);
    expect(Buffer.concat([first, rest]).equals(bytes(150_000))).toBe(true);
    file.close();
  });

  it('gives no more than 64 KiB at a time', async () => {
    const file = new TempFile({ size: 1_000_000, folder: folder.path });
    await file.put(bytes(200_000));
    expect(await file.take()).toHaveLength(65_536);
    file.close();
  });

  it('is opened for the first bytes, is its owner’s alone, has no name, and is gone when it is closed', async () => {
    const file = new TempFile({ size: 1000, folder: folder.path });
    expect(openFilesIn(folder.path)).toBe(0);
    await file.put(bytes(10));
    expect(openFilesIn(folder.path)).toBe(1);
    expect(readdirSync(folder.path)).toEqual([]);
    const descriptor = readdirSync('/proc/self/fd').find((each) => {
      try {
        return readlinkSync(`/proc/self/fd/${each}`).startsWith(folder.path);
      } catch {
        return false;
      }
    });
    expect(statSync(`/proc/self/fd/${descriptor}`).mode & 0o777).toBe(0o600);
    file.close();
    await expect.poll(() => openFilesIn(folder.path)).toBe(0);
  });

  it('that is closed while it is opened stays open no longer than that', async () => {
    const file = new TempFile({ size: 1000, folder: folder.path });
    const put = file.put(bytes(10));
    file.close();
    expect(await put).toHaveLength(10);
    await expect.poll(() => openFilesIn(folder.path)).toBe(0);
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it('takes up to its limit, and gives back what is beyond', async () => {
    const file = new TempFile({ size: 1000, folder: folder.path });
    expect(await file.put(bytes(600))).toHaveLength(0);
    expect(file.isFull).toBe(false);
    expect((await file.put(bytes(600, 600))).equals(bytes(200, 1000))).toBe(true);
    expect(file).toMatchObject({ isFull: true, failure: null });
    expect((await takeAll(file)).equals(bytes(1000))).toBe(true);
    file.close();
  });

  it.each([
    ['full', 0],
    ['nearly full', 16_384],
  ])('on a disk that is %s loses no byte: what it has not taken it gives back', async (_, free) => {
    using disk = fullDisk(free);
    const file = new TempFile({ size: 1_000_000, folder: disk.path });
    const rest = await file.put(bytes(100_000));
    expect(rest.length).toBeGreaterThan(0);
    expect(file.isFull).toBe(true);
    expect(file.failure?.message).toMatch(
      /^A part of a reply cannot be kept in "[^"]+" \(option spoolFolder/,
    );
    expect(Buffer.concat([await takeAll(file), rest]).equals(bytes(100_000))).toBe(true);
    file.close();
  });
});
