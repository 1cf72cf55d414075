/**
 * A body whose source fails half-way. PHP runs a script with what it has of a body, in whole blocks of 16 KiB, however the
 * connection ends: a FIN, a reset, ABORT_REQUEST and a malformed record were tried. So it must not be begun to be sent
 * before it is whole; where it is too long for that, its fate is unknown.
 */
import { expect, it } from 'vitest';
import { Pool } from '../../src/pool/pool.ts';
import { ended, Recorder } from '../pool/support.ts';
import { executionLog, startFpm, waitFor } from './support/index.ts';

const KIB = 1024;
const length = `strlen(file_get_contents('php://input'))`;

it.each([
  ['a POST that fits into replayBuffer', 'POST', 100, 0, 'no'],
  ['a longer POST', 'POST', 3_000, 1, 'unknown'],
  ['a PUT', 'PUT', 100, 1, 'unknown'],
] as const)('%s', async (_, method, kib, runs, executed) => {
  await using fpm = await startFpm({ maxChildren: 1 });
  const log = executionLog(fpm.root, length);
  const script = fpm.script('length.php', `${log.php} echo 1;`);
  const page = fpm.script('page.php', 'echo 1;');
  await using pool = new Pool(fpm.address);
  const reason = new Error('the source has failed');
  async function* source(): AsyncGenerator<Buffer> {
    for (let sent = 0; sent < kib / 2; sent += 10) yield Buffer.alloc(10 * KIB, 'x');
    throw reason;
  }
  const params = {
    ...script,
    REQUEST_METHOD: method,
    CONTENT_TYPE: 'application/json',
    CONTENT_LENGTH: String(kib * KIB),
  };
  const recorder = new Recorder();
  pool.dispatch({ params, body: source() }, recorder);
  expect(await recorder.over).toBe(reason);
  expect(recorder.controller?.facts).toMatchObject({ executed, cause: reason });
  await waitFor(() => log.entries().length >= runs);
  // Behind it on the only worker.
  await ended(pool, { params: page });
  expect(log.entries()).toHaveLength(runs);
  for (const { id } of log.entries()) expect(Number(id) % (16 * KIB)).toBe(0);
});

it.each([
  [
    'cannot begin',
    (reason: Error): AsyncIterable<Buffer> =>
      (async function* (): AsyncGenerator<Buffer> {
        if (reason) throw reason;
        yield Buffer.alloc(1);
      })(),
  ],
  [
    'fails while its request waits for a connection, before it has given a byte',
    (reason: Error): AsyncIterable<Buffer> =>
      new ReadableStream<Buffer>({
        async start(controller): Promise<void> {
          await new Promise((resolve) => setImmediate(resolve));
          controller.error(reason);
        },
      }),
  ],
])('a PUT whose source %s: its script is never run without its body', async (_, sourceOf) => {
  await using fpm = await startFpm({ maxChildren: 1 });
  const log = executionLog(fpm.root, length);
  const script = fpm.script('length.php', `${log.php} echo 1;`);
  const page = fpm.script('page.php', 'usleep(200000); echo 1;');
  await using pool = new Pool(fpm.address, { connections: 1 });
  const before = ended(pool, { params: page });
  const reason = new Error('no such file');
  const params = { ...script, REQUEST_METHOD: 'PUT', CONTENT_LENGTH: '100000' };
  const recorder = new Recorder();
  pool.dispatch({ params, body: sourceOf(reason) }, recorder);
  expect(await recorder.over).toBe(reason);
  expect(recorder.controller?.facts).toMatchObject({ executed: 'no', cause: reason });
  await before;
  await ended(pool, { params: page });
  expect(log.entries()).toEqual([]);
});
