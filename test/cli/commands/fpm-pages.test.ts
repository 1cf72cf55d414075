import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../../src/cli/main.ts';
import { type Fpm, startFpm } from '../../fpm/support/fpm.ts';
import { FakeIo } from '../support/io.ts';

let fpm: Fpm;
beforeAll(async () => {
  fpm = await startFpm({ transport: 'tcp', statusPath: '/s', files: { 'page.php': '<?php echo "a page";' } });
});
afterAll(() => fpm?.stop());

async function typed(...argv: string[]): Promise<{ status: number; io: FakeIo }> {
  const io = new FakeIo('/');
  return { status: await run(argv, io), io };
}

describe('ping', () => {
  it('says what PHP-FPM says, with every form of an address', async () => {
    for (const address of [
      fpm.address,
      `tcp://${fpm.address}`,
      fpm.address.replace('127.0.0.1', 'localhost'),
    ]) {
      const { status, io } = await typed('ping', address);
      expect([status, io.out, io.err]).toEqual([0, 'pong\n', '']);
    }
  });

  it('where the pool has no such page says which setting would make it', async () => {
    const { status, io } = await typed('ping', fpm.address, '--path', '/pong');
    expect([status, io.out]).toEqual([1, '']);
    expect(io.err).toMatch(/^fastcgi-pool: ping: .* answered \/pong with 40[34].*ping\.path = \/pong/);
  });

  it('leaves no worker behind: a second one follows on a pool with one worker', async () => {
    await using one = await startFpm({ maxChildren: 1 });
    for (const _ of [1, 2, 3]) expect((await typed('ping', one.address)).status).toBe(0);
  });

  it('at a port that speaks HTTP fails in one line', async () => {
    const server = createServer((_, res) => res.end('HTTP')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { status, io } = await typed('ping', `127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect([status, io.out]).toEqual([1, '']);
    expect(io.err).toMatch(/^fastcgi-pool: ping: .*FastCGI.*\n$/);
    server.close();
  });

  it('where nobody listens fails in one line', async () => {
    const { status, io } = await typed('ping', 'unix:/nowhere/fpm.sock');
    expect([status, io.out]).toEqual([1, '']);
    expect(io.err).toMatch(/^fastcgi-pool: ping: .*unix:\/nowhere\/fpm\.sock.*\n$/);
  });
});

describe('status', () => {
  it('is a table', async () => {
    const { status, io } = await typed('status', fpm.address, '--path', '/s');
    expect([status, io.err]).toEqual([0, '']);
    expect(io.out).toMatch(/^pool +www$/m);
    expect(io.out).toMatch(/^process manager +static$/m);
    expect(io.out).toMatch(/^active processes +[12]$/m);
    expect(io.out).toMatch(/^start since +\d+ s$/m);
  });

  it('--full has a row for each process', async () => {
    const { io } = await typed('status', fpm.address, '--path', '/s', '--full');
    expect(io.out).toMatch(/^pid +state +requests/m);
    const pids = await fpm.workers();
    // All the states that PHP-FPM knows: the one that answered the test before may be finishing still.
    const states = 'Idle|Running|Reading headers|Getting request informations|Info|Finishing|Ending';
    for (const pid of pids) expect(io.out).toMatch(new RegExp(`^${pid} +(${states}) `, 'm'));
  });

  it("--json is PHP-FPM's own", async () => {
    const { io } = await typed('status', fpm.address, '--path', '/s', '--json', '--full');
    const facts = JSON.parse(io.out) as { pool: string; processes: unknown[] };
    expect([facts.pool, facts.processes.length]).toEqual(['www', 2]);
  });

  it('where the pool has no such page says which setting would make it', async () => {
    const { status, io } = await typed('status', fpm.address);
    expect(status).toBe(1);
    expect(io.err).toMatch(/pm\.status_path = \/status/);
  });

  it('a page of PHP is not taken for it', async () => {
    const { status, io } = await typed('status', fpm.address, '--path', `${fpm.root}/page.php`);
    expect([status, io.out]).toEqual([1, '']);
    expect(io.err).toMatch(/is not PHP-FPM's status page/);
  });
});
