/** Two hundred clients on bad lines, four workers: what remains for the others, and what it costs. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createHandler } from '../../src/gateway/node.ts';
import { Pool } from '../../src/pool/pool.ts';
import { arrayBuffersInUse } from '../fpm/support/gc.ts';
import { type Fpm, startFpm, type TempDir, tempDir, waitFor } from '../fpm/support/index.ts';

const clients = 200;
const pageSize = 450_000;
const perSecond = 10 * 1024;

let fpm: Fpm;
let pool: Pool;
let server: Server;
let folder: TempDir;
// unix sockets hold 208 KiB, not the megabytes of tcp: the rest is ours to hold
let path: string;
const sockets = new Set<Socket>();

beforeAll(async () => {
  fpm = await startFpm({
    maxChildren: 4,
    files: {
      'page.php': `<?php header("Content-Length: ${pageSize}"); echo str_repeat("x", ${pageSize});`,
      'probe.php': '<?php echo "here";',
      'form.php': '<?php echo strlen(file_get_contents("php://input"));',
    },
  });
  folder = tempDir('slow-');
  path = join(folder.path, 'http.sock');
  pool = new Pool(fpm.address, { connections: 4 });
  server = createServer(createHandler(pool, { root: fpm.root })).listen(path);
  await once(server, 'listening');
});

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
});

afterAll(async () => {
  server?.closeAllConnections();
  server?.close();
  await pool?.destroy();
  await fpm?.stop();
  folder?.remove();
});

async function client(request: string): Promise<Socket> {
  const socket = connect(path);
  sockets.add(socket);
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(request);
  return socket;
}

/** Milliseconds that a small page takes, for somebody else. */
async function probe(): Promise<number> {
  const start = performance.now();
  const socket = await client('GET /probe.php HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  let text = '';
  for await (const chunk of socket) text += chunk;
  expect(text).toMatch(/\r\n\r\nhere$/);
  return performance.now() - start;
}

/** Bytes that slow readers have taken so far. */
function readSlowly(readers: readonly Socket[]): { readonly taken: number; stop(): void } {
  const counter = {
    taken: 0,
    stop: () => clearInterval(timer),
  };
  const timer = setInterval(() => {
    for (const socket of readers) {
      const piece: Buffer | null = socket.read(perSecond / 10);
      counter.taken += piece?.length ?? 0;
    }
  }, 100);
  return counter;
}

describe(`${clients} clients at 10 KiB/s on 4 workers`, () => {
  it('that read leave the workers free, in bounded memory', async () => {
    await probe();
    const before = { served: pool.stats.served, arrayBuffers: await arrayBuffersInUse() };
    const readers: Socket[] = [];
    const reading = readSlowly(readers);
    // not all at once: the slower the machine, the sooner it would refuse some of them as too many
    while (readers.length < clients) {
      for (let i = 0; i < 4; i++) {
        readers.push(await client('GET /page.php HTTP/1.1\r\nHost: a\r\n\r\n'));
      }
      await waitFor(() => pool.stats.served === before.served + readers.length, {
        what: `the end of ${readers.length} pages at PHP`,
      });
    }
    expect(pool.stats).toMatchObject({ busy: 0, queued: 0 });
    expect(await probe()).toBeLessThan(5_000);
    reading.stop();
    // PHP was done with all before the clients were: at this pace a page takes them 44 s
    expect(reading.taken).toBeLessThan(clients * pageSize);
    // what the responses hold, and what the readers of this same process have in their own buffers
    expect((await arrayBuffersInUse()) - before.arrayBuffers).toBeLessThan(
      64 * 1024 * 1024 + clients * 128 * 1024,
    );
  }, 60_000);

  it('that send leave the workers free', async () => {
    const head = 'POST /form.php HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n';
    const senders: Socket[] = [];
    for (let i = 0; i < clients; i++) senders.push(await client(`${head}${'x'.repeat(5000)}`));
    expect(await probe()).toBeLessThan(5_000);
    expect(pool.stats).toMatchObject({ busy: 0, queued: 0 });
    for (const socket of senders) {
      socket.write('x'.repeat(5000));
      expect(String((await once(socket, 'data'))[0])).toMatch(/\r\n\r\n10000$/);
    }
  }, 60_000);
});
