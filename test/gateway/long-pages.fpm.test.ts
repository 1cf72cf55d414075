/** Pages far longer than the memory takes, for clients on bad lines: one worker, and who waits for whom. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { createHandler } from '../../src/gateway/node.ts';
import { Pool } from '../../src/pool/pool.ts';
import { arrayBuffersInUse } from '../fpm/support/gc.ts';
import { type Fpm, fullDisk, startFpm, type TempDir, tempDir, waitFor } from '../fpm/support/index.ts';
import { openFilesIn, sizeOfOpenFileIn } from './open-files.ts';

const MiB = 1024 * 1024;
/** A page of `?n` MiB, none of which is like another. */
const source = `<?php
for ($i = 0; $i < $_GET['n']; $i++) echo str_repeat(md5((string) $i), 32768);`;

let fpm: Fpm;
let pool: Pool;
let folder: TempDir;
const servers: Server[] = [];
const sockets = new Set<Socket>();

beforeAll(async () => {
  fpm = await startFpm({
    maxChildren: 1,
    files: {
      'page.php': source,
      'dies.php': `<?php header('Content-Length: 99000000'); ?>${source} flush(); posix_kill(getmypid(), 9);`,
      'probe.php': '<?php echo "here";',
    },
  });
  folder = tempDir('long-');
  pool = new Pool(fpm.address, { connections: 1 });
});

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

afterAll(async () => {
  await pool?.destroy();
  await fpm?.stop();
  folder?.remove();
});

let count = 0;

interface Bench {
  /** What onError was told. */
  readonly errors: string[];
  /** Asks for a page, and reads nothing of it. */
  get(path: string): Promise<Socket>;
}

async function bench(spoolFolder: string, maxTempFileSize: number): Promise<Bench> {
  const errors: string[] = [];
  const handler = createHandler(pool, {
    root: fpm.root,
    spoolFolder,
    maxTempFileSize,
    onError: (error) => errors.push(String(error)),
  });
  // unix sockets hold 208 KiB, not the megabytes of tcp
  const path = join(folder.path, `http-${count++}.sock`);
  const server = createServer(handler).listen(path);
  servers.push(server);
  await once(server, 'listening');
  const get = async (target: string): Promise<Socket> => {
    const socket = connect(path);
    sockets.add(socket);
    socket.on('error', () => {});
    await once(socket, 'connect');
    // HTTP/1.0: no chunks between the bytes of the page
    socket.write(`GET ${target} HTTP/1.0\r\nHost: a\r\n\r\n`);
    return socket;
  };
  return { errors, get };
}

function served(): number {
  return pool.stats.served;
}

function pageHash(megabytes: number): string {
  const hash = createHash('sha256');
  for (let i = 0; i < megabytes; i++) {
    hash.update(createHash('md5').update(String(i)).digest('hex').repeat(32_768));
  }
  return hash.digest('hex');
}

/** Reads to the end; the hash is of the body. */
async function read(socket: Socket): Promise<{ length: number; hash: string; failed: boolean }> {
  const hash = createHash('sha256');
  let head: Buffer | null = Buffer.alloc(0);
  let length = 0;
  let failed = false;
  try {
    for await (const chunk of socket) {
      let body: Buffer = chunk;
      if (head) {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) continue;
        body = head.subarray(end + 4);
        head = null;
      }
      hash.update(body);
      length += body.length;
    }
  } catch {
    failed = true;
  }
  return { length, hash: hash.digest('hex'), failed };
}

it('the only worker is free while the client still reads 20 MiB, which come whole', async () => {
  const { get, errors } = await bench(folder.path, 100 * MiB);
  const before = served();
  const reader = await get('/page.php?n=20');
  await waitFor(() => served() === before + 1, { what: 'the end of the page at PHP' });
  expect(pool.stats).toMatchObject({ busy: 0, queued: 0 });
  expect(await read(await get('/probe.php'))).toMatchObject({ length: 4 });
  expect(reader.bytesRead).toBeLessThan(MiB);
  expect(openFilesIn(folder.path)).toBe(1);
  expect(await read(reader)).toEqual({ length: 20 * MiB, hash: pageHash(20), failed: false });
  await waitFor(() => openFilesIn(folder.path) === 0, { what: 'the end of the file' });
  expect(errors).toEqual([]);
});

it('200 MiB for a slow client take the disk, and of the memory no more than a small page', async () => {
  const { get } = await bench(folder.path, 1024 * MiB);
  const [count, memory] = [served(), await arrayBuffersInUse()];
  const reader = await get('/page.php?n=200');
  await waitFor(() => served() === count + 1, { what: 'the end of the page at PHP', timeout: 30_000 });
  // responseBuffering, what the reader has of it, and a piece on its way
  expect((await arrayBuffersInUse()) - memory).toBeLessThan(3 * MiB);
  for (let taken = 0; taken < 10 * MiB; ) {
    const piece: Buffer | null = reader.read();
    taken += piece?.length ?? 0;
    if (!piece) await once(reader, 'readable');
  }
  expect((await arrayBuffersInUse()) - memory).toBeLessThan(3 * MiB);
  reader.destroy();
  await waitFor(() => openFilesIn(folder.path) === 0, { what: 'the end of the file' });
}, 60_000);

it('beyond its limit PHP waits for its client, and the page is whole', async () => {
  const { get } = await bench(folder.path, 5 * MiB);
  const before = served();
  const reader = await get('/page.php?n=20');
  await waitFor(() => sizeOfOpenFileIn(folder.path) === 5 * MiB, { what: 'a full file' });
  expect(pool.stats.busy).toBe(1);
  expect(await read(reader)).toEqual({ length: 20 * MiB, hash: pageHash(20), failed: false });
  expect(served()).toBe(before + 1);
});

it('all that a script has sent before it dies is its client’s', async () => {
  const { get, errors } = await bench(folder.path, 100 * MiB);
  const reader = await get('/dies.php?n=20');
  await waitFor(() => errors.length > 0, { what: 'the end of the worker' });
  // less than its Content-Length
  expect(await read(reader)).toEqual({ length: 20 * MiB, hash: pageHash(20), failed: false });
  expect(errors).toHaveLength(1);
});

it('on a full disk PHP waits for its client, the page is whole, and one thing is said', async () => {
  using disk = fullDisk(32_768);
  mkdirSync(disk.path, { recursive: true });
  const { get, errors } = await bench(disk.path, 100 * MiB);
  // where none could be mounted, a folder that goes is the same
  if (readdirSync(disk.path).length === 0) rmdirSync(disk.path);
  const reader = await get('/page.php?n=20');
  await waitFor(() => errors.length > 0, { what: 'the warning' });
  expect(pool.stats.busy).toBe(1);
  expect(await read(reader)).toEqual({ length: 20 * MiB, hash: pageHash(20), failed: false });
  expect(errors).toEqual([expect.stringMatching(/A part of a reply cannot be kept in/)]);
});
