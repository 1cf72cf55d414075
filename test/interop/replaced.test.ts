/** PHP-FPM is replaced, on the same address, by a server of another kind: what it has shown is not believed of that one. */
import { rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Upstream } from '../../src/index.ts';
import { type Fpm, startFpm } from '../fpm/support/fpm.ts';
import { tempDir } from '../fpm/support/temp.ts';
import { waitFor } from '../fpm/support/wait.ts';
import { ended } from '../pool/support.ts';
import { type Running, type ServerName, startServer } from './support/servers.ts';
import { runs, task } from './support/task.ts';

/** They begin before they have read the whole body. */
const EARLY: readonly ServerName[] = ['C libfcgi', 'Perl FCGI', 'Plack', 'Go'];

describe.each(EARLY)('%s', { timeout: 60_000 }, (name) => {
  let fpm: Fpm;
  let server: Running;
  beforeAll(async () => {
    fpm = await startFpm();
    server = await startServer(name);
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await fpm.stop();
  });

  it('once it has answered, a POST whose program dies runs once', async () => {
    using folder = tempDir('replaced-');
    const link = join(folder.path, 's');
    const lead = async (path: string): Promise<void> => {
      await symlink(path, `${link}.new`);
      await rename(`${link}.new`, link);
    };
    await lead('path' in fpm.endpoint ? fpm.endpoint.path : '');
    // An upstream finds out early that nothing stands in between.
    await using upstream = new Upstream([
      { address: `unix:${link}`, maxFails: 0 },
      { address: 'unix:/nope', down: true },
    ]);
    const page = fpm.script('page.php', 'echo 1;');
    const examined = (): number => upstream.stats.closed.examined;
    for (let i = 0; examined() === 0 || i < 8; i++) await ended(upstream, { params: page });
    await lead(server.endpoint.path);
    await waitFor(() => upstream.stats.connected === 0);
    await ended(upstream, task(server, 'hello', 'first'));
    const answer = upstream.request(task(server, 'die', 'dies', Buffer.alloc(12_000, 'x')));
    await expect(answer).rejects.toMatchObject({ executed: 'unknown', attempts: 1 });
    expect(runs(server, 'dies')).toBe(1);
  });
});
