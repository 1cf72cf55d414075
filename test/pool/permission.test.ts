import { chmodSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Pool } from '../../src/pool/pool.ts';
import { asNobody } from '../fpm/support/as-nobody.ts';
import { tempDir } from '../fpm/support/temp.ts';
import { GET } from './support.ts';

it('a socket that we may not connect to is an error at once, and the hint names listen.mode and the folder', async () => {
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
    hint: expect.stringMatching(/`listen\.mode` \(or `listen\.acl_users`\).*folder of the socket/),
  });
  server.close();
});
