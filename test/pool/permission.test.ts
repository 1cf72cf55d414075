import { chmodSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Pool } from '../../src/pool/pool.ts';
import { tempDir } from '../fpm/support/temp.ts';
import { GET } from './support.ts';

/** Root may connect to anything; `nobody` may not. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  const { geteuid, seteuid } = process;
  if (geteuid === undefined || seteuid === undefined || geteuid() !== 0) return work();
  seteuid(65_534);
  try {
    return await work();
  } finally {
    seteuid(0);
  }
}

it('a socket that we may not connect to is an error at once, and the hint names listen.mode', async () => {
  using folder = tempDir();
  chmodSync(folder.path, 0o755);
  const path = join(folder.path, 's');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  chmodSync(path, 0);
  await using pool = new Pool(`unix:${path}`, { connectTimeout: 60_000 });
  const error = await asNobody(() => pool.request({ params: GET }).catch((reason: unknown) => reason));
  expect(error).toMatchObject({
    code: 'FCGI_ERR_CONNECT',
    executed: 'no',
    cause: { code: 'EACCES' },
    hint: expect.stringContaining('listen.mode'),
  });
  server.close();
});
