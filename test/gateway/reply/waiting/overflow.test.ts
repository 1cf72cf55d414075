import { readdirSync, rmSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Sink, SinkOwner } from '../../../../src/gateway/reply/sink.ts';
import { BufferSpace, ReplyBuffer } from '../../../../src/gateway/reply/waiting/buffer.ts';
import {
  type BodySink,
  Overflow,
  type OverflowOwner,
} from '../../../../src/gateway/reply/waiting/overflow.ts';
import { fullDisk, type TempDir, tempDir } from '../../../fpm/support/index.ts';
import { openFilesIn, sizeOfOpenFileIn } from '../../open-files.ts';

let folder: TempDir;
beforeEach(() => {
  folder = tempDir('overflow-');
});
afterEach(() => folder.remove());

/** A client that takes what it is told to. */
class Client {
  readonly got: Buffer[] = [];
  /** Written since it has taken last. */
  waiting = 0;
  mostWaiting = 0;
  /** It takes all at once. */
  isQuick = false;
  end = '';
  owner: SinkOwner | null = null;
  timeouts = 0;
  breaks: Error | null = null;
  readonly #gone: (() => void)[] = [];

  readonly sink: Sink = {
    attach: (owner) => {
      this.owner = owner;
    },
    nothingSent: false,
    write: (chunk) => {
      if (this.end !== '') throw new Error('written behind the end');
      if (this.breaks) throw this.breaks;
      this.got.push(chunk);
      if (this.isQuick) return true;
      this.waiting += chunk.length;
      this.mostWaiting = Math.max(this.mostWaiting, this.waiting);
      return false;
    },
    whenTaken: (callback) => {
      this.#gone.push(callback);
    },
    startSendTimeout: () => {
      this.timeouts++;
    },
    end: () => {
      this.end = 'end';
    },
    cut: (error) => {
      this.end = `cut: ${error.message}`;
    },
    start: () => {},
    answer: () => {},
    file: () => {},
    requestHeader: () => undefined,
  };

  take(): void {
    this.waiting = 0;
    this.owner?.resume();
  }

  leave(): void {
    for (const tell of this.#gone) tell();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.got);
  }
}

interface Bench {
  readonly client: Client;
  /** Where the reply's body goes: the overflow, and the client when it has caught up. */
  body: BodySink;
  readonly overflow: Overflow;
  readonly php: { waits: boolean; times: number };
  /** What the reply was told. */
  readonly told: string[];
  /** Lets the client take until there is an end, or the reply goes its usual way again. */
  takeAll(): Promise<void>;
}

/** `space`: that of all replies. */
function bench(size: number, at: string = folder.path, space = new BufferSpace(0)): Bench {
  const client = new Client();
  const php = { waits: false, times: 0 };
  const told: string[] = [];
  const owner: OverflowOwner = {
    resume: () => told.push('resume'),
    leave: () => told.push('leave'),
    giveUp: (error) => told.push(`give up: ${error}`),
    caughtUp: () => {
      told.push('caught up');
      made.body = client.sink;
    },
    reportLate: (error) => told.push(`report: ${error}`),
  };
  const control = {
    pause: () => {
      php.waits = true;
      php.times++;
    },
    resume: () => {
      php.waits = false;
    },
  };
  const backlog = new ReplyBuffer(1e6, space, client.sink);
  // what the client has not taken when it begins
  backlog.add(100_000);
  const options = { tempFile: { size, folder: at }, sendTimeout: 60_000 };
  const overflow = new Overflow(client.sink, owner, control, backlog, options);
  expect(overflow.begin()).toBe(true);
  const takeAll = async (): Promise<void> => {
    // Not so many turns: another thread reads the file, and gets its time when the machine has some.
    const end = performance.now() + 4000;
    while (client.end === '' && !told.includes('caught up')) {
      if (performance.now() > end) throw new Error('the client never gets all');
      client.take();
      await nextTurn();
    }
  };
  const made: Bench = { client, body: overflow, overflow, php, told, takeAll };
  return made;
}

function bytes(size: number, from = 0): Buffer {
  const made = Buffer.alloc(size);
  for (let at = 0; at < size; at++) made[at] = (from + at) % 251;
  return made;
}

/** As PHP does: not while it has to wait. Resolves with how much it has sent at the end, or when it waits and `until` holds. */
async function send(
  all: Bench,
  size: number,
  piece: number,
  until: () => boolean = () => false,
): Promise<number> {
  const { php } = all;
  let sent = 0;
  while (sent < size && !(php.waits && until())) {
    if (php.waits) await nextTurn();
    else {
      const chunk = bytes(Math.min(piece, size - sent), sent);
      all.body.write(chunk);
      sent += chunk.length;
    }
  }
  return sent;
}

describe('the overflow of a reply', () => {
  it.each([1, 997, 8184, 65_528])('keeps the order of bytes in pieces of %i', async (piece) => {
    const size = piece * 300;
    const all = bench(1e9);
    expect(await send(all, size, piece)).toBe(size);
    all.overflow.end();
    await all.takeAll();
    expect(all.client.end).toBe('end');
    expect(all.client.bytes.equals(bytes(size))).toBe(true);
  });

  it('keeps the order where the client takes while PHP sends', async () => {
    const all = bench(1e9);
    const size = 3_000_000;
    let turns = 0;
    const sent = send(all, size, 4000);
    // slower than PHP, or it would catch up
    while (all.client.bytes.length < 1_000_000) {
      await nextTurn();
      if (turns++ % 20 === 0) all.client.take();
    }
    expect(await sent).toBe(size);
    all.body.end();
    await all.takeAll();
    expect(all.client.bytes.equals(bytes(size))).toBe(true);
  });

  it('holds little in memory: PHP waits for the disk, the disk for the client', async () => {
    const all = bench(1e9);
    let sent = 0;
    while (!all.php.waits) {
      all.overflow.write(bytes(8000));
      sent += 8000;
    }
    expect(sent).toBeLessThanOrEqual(256 * 1024 + 8000);
    await expect.poll(() => all.php.waits, { timeout: 4000 }).toBe(false);
    expect(await send(all, 20_000_000, 60_000)).toBe(20_000_000);
    all.overflow.end();
    await all.takeAll();
    expect(all.client.mostWaiting).toBeLessThanOrEqual(65_536);
  });

  it('has no more to do with PHP when that has ended, which may serve another by then', async () => {
    const all = bench(1e9);
    for (let sent = 0; !all.php.waits; sent += 8000) all.overflow.write(bytes(8000, sent));
    all.overflow.cut(new Error('PHP died'));
    await all.takeAll();
    expect(all.php).toEqual({ waits: true, times: 1 });
  });

  it('counts what a piece costs beside its bytes: PHP waits long before single bytes have become a million objects', () => {
    const all = bench(1e9);
    let pieces = 0;
    for (; !all.php.waits; pieces++) all.overflow.write(Buffer.from('x'));
    expect(pieces).toBeLessThan(600);
    all.client.leave();
  });

  it('takes up to its limit from PHP, which goes on when the client has caught up', async () => {
    const all = bench(1_000_000);
    const sent = await send(all, 5_000_000, 50_000, () => sizeOfOpenFileIn(folder.path) === 1_000_000);
    expect(sent).toBeGreaterThanOrEqual(1_000_000);
    expect(sent).toBeLessThanOrEqual(1_000_000 + 256 * 1024 + 50_000);
    expect(all.php.waits).toBe(true);
    await all.takeAll();
    expect(all.php.waits).toBe(false);
    expect(all.told).toEqual(['caught up']);
    expect(all.client.bytes.equals(bytes(sent))).toBe(true);
    await expect.poll(() => openFilesIn(folder.path)).toBe(0);
  });

  it('may be used again when the client has caught up', async () => {
    const all = bench(1_000_000);
    await send(all, 500_000, 50_000);
    await all.takeAll();
    expect(all.overflow.begin()).toBe(true);
    all.overflow.write(bytes(10_000, 500_000));
    all.overflow.end();
    await expect.poll(() => all.client.end || all.client.take()).toBe('end');
    expect(all.client.bytes.equals(bytes(510_000))).toBe(true);
  });

  it('gives the common space back when the client has taken what it was given before, long before the end', async () => {
    const space = new BufferSpace(100_000);
    const all = bench(1e9, folder.path, space);
    expect(space.take(100_000)).toBe(false);
    await send(all, 500_000, 50_000);
    all.client.take();
    expect(space.take(100_000)).toBe(true);
    all.client.leave();
  });

  // before the disk is asked, while it is, and behind that
  it.each([0, 1, 2, 3, 4, 6, 8])(
    'gives nothing to a client that has left %i turns before, and says nothing',
    async (turns) => {
      const all = bench(1e9);
      await send(all, 500_000, 50_000);
      await expect.poll(() => sizeOfOpenFileIn(folder.path)).toBe(500_000);
      if (turns % 2 === 0) all.overflow.end();
      all.client.take();
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      all.client.leave();
      const { length } = all.client.got;
      await expect.poll(() => openFilesIn(folder.path)).toBe(0);
      await nextTurn();
      expect(all.client.got).toHaveLength(length);
      expect(all.told).toEqual([]);
    },
  );

  it('a client that takes nothing runs into its timeout', async () => {
    const all = bench(1e9);
    await send(all, 500_000, 50_000);
    all.client.take();
    await expect.poll(() => all.client.timeouts).toBe(1);
    all.client.leave();
  });

  it('gives the client all that came before it is cut', async () => {
    const all = bench(1e9);
    await send(all, 700_000, 50_000);
    all.overflow.cut(new Error('PHP died'));
    expect(all.client.end).toBe('');
    await all.takeAll();
    expect(all.client.end).toBe('cut: PHP died');
    expect(all.client.bytes.equals(bytes(700_000))).toBe(true);
  });

  it.each([
    ['while PHP sends', false],
    ['behind PHP’s end', true],
  ])('is closed at once when its client leaves %s', async (_, isEnded) => {
    const all = bench(1e9);
    await send(all, 700_000, 50_000);
    await expect.poll(() => openFilesIn(folder.path)).toBe(1);
    if (isEnded) all.overflow.end();
    all.client.leave();
    await expect.poll(() => openFilesIn(folder.path)).toBe(0);
    all.overflow.write(bytes(100));
    expect(openFilesIn(folder.path)).toBe(0);
    expect(all.php.waits).toBe(false);
  });

  it.each([
    ['full', 0],
    ['nearly full', 16_384],
  ])(
    'on a disk that is %s PHP waits for the client, no byte is lost, and one thing is said',
    async (_, free) => {
      using disk = fullDisk(free);
      const all = bench(1e9, disk.path);
      const sent = await send(all, 5_000_000, 50_000, () => all.told.length > 0);
      expect(sent).toBeLessThanOrEqual(2 * 256 * 1024 + 50_000);
      expect(all.told).toEqual([
        expect.stringMatching(/^report: Error: A part of a reply cannot be kept in/),
      ]);
      await all.takeAll();
      expect(all.php.waits).toBe(false);
      expect(all.client.bytes.equals(bytes(sent))).toBe(true);
      expect(all.overflow.begin()).toBe(false);
    },
  );

  it('of a folder that has gone is the same', async () => {
    rmSync(folder.path, { recursive: true });
    const all = bench(1e9);
    const sent = await send(all, 5_000_000, 50_000, () => all.told.length > 0);
    all.overflow.end();
    await all.takeAll();
    expect(all.client.end).toBe('end');
    expect(all.client.bytes.equals(bytes(sent))).toBe(true);
    expect(all.told).toHaveLength(1);
  });

  it('that cannot give what it has fails the reply, also behind its end, and lets go of its file', async () => {
    const all = bench(1e9);
    await send(all, 700_000, 50_000);
    all.client.breaks = new Error('no write()');
    all.client.take();
    await expect.poll(() => all.told).toEqual(['give up: Error: no write()']);
    const ended = bench(1e9);
    await send(ended, 700_000, 50_000);
    ended.overflow.end();
    ended.client.breaks = new Error('no write()');
    ended.client.take();
    await expect.poll(() => ended.told).toEqual(['report: Error: no write()']);
    expect(ended.client.end).toBe('cut: no write()');
    await expect.poll(() => openFilesIn(folder.path)).toBe(0);
    expect(readdirSync(folder.path)).toEqual([]);
  });
});
