/** Real servers that are not PHP-FPM, and a pool of which nobody has told what they are. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CloseReason } from '../../src/connection/reuse.ts';
import type { FcgiError } from '../../src/errors.ts';
import { optionRules } from '../../src/pool/options.ts';
import { Pool } from '../../src/pool/pool.ts';
import { ended, text } from '../pool/support.ts';
import { type Running, SERVERS, startServer } from './support/servers.ts';
import { runs, task } from './support/task.ts';

/** Our own limits: for these reasons a pool closes connections whatever the server is. */
const OURS: readonly CloseReason[] = ['keepalive-time', 'keepalive-timeout', 'yield', 'pool-closed'];
/** These end each connection behind its answer, whatever FCGI_KEEP_CONN says. */
const KEEP_NONE = ['Mojolicious', 'Ruby fcgi', 'uWSGI (Python)'];

const LARGE = Buffer.alloc(200 * 1024, 'a body of 200 KiB, ');

describe.each(SERVERS)('%s', { timeout: 60_000 }, (name) => {
  let server: Running;
  beforeAll(async () => {
    server = await startServer(name);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it('150 GETs in a row are answered, and connections are kept where the server keeps them', async () => {
    await using pool = new Pool(server.address);
    for (let i = 0; i < 150; i++) {
      expect(await text(pool, task(server, 'hello', `get${i}`))).toBe(`get${i}`);
    }
    expect(runs(server, 'get149')).toBe(1);
    const closed = Object.entries(pool.stats.closed).filter(
      ([reason]) => !OURS.some((our) => our === reason),
    );
    const closings = closed.reduce((sum, [, count]) => sum + count, 0);
    if (KEEP_NONE.includes(name)) expect(closings).toBeGreaterThanOrEqual(150);
    else expect(closings).toBeLessThanOrEqual(10);
  });

  it('POSTs of 200 KiB come back as they were sent', async () => {
    await using pool = new Pool(server.address);
    for (let i = 0; i < 4; i++) {
      const response = await pool.request(task(server, 'echo', `post${i}`, LARGE));
      expect(LARGE.equals(await response.body.bytes())).toBe(true);
    }
  });

  it('GETs that are answered at once and POSTs that are read to their end, in turn: nobody waits for the end of input', async () => {
    await using pool = new Pool(server.address);
    const small = Buffer.alloc(2_000, 'x');
    const times: number[] = [];
    for (let i = 0; i < 25; i++) {
      await ended(pool, task(server, 'hello', `turn${i}`));
      const begun = performance.now();
      expect(await text(pool, task(server, 'echo', `turn${i}`, small))).toBe(small.toString());
      times.push(performance.now() - begun);
    }
    const { terminatorDelay } = optionRules;
    // Where each waits, the quickest waits, too, however busy the machine is.
    const learned = times.slice(5).sort((a, b) => a - b);
    // A POST to fcgiwrap starts five processes: that may take as long as the delay.
    if (name !== 'fcgiwrap') expect(learned[2]).toBeLessThan(Number(terminatorDelay.default));
    expect(Math.max(...times)).toBeLessThan(4_500);
  });

  it('an answer before a large body is out costs nothing but its own connection', async () => {
    await using pool = new Pool(server.address);
    const huge = Buffer.alloc(2 * 1024 * 1024, 'x');
    for (let i = 0; i < 3; i++) {
      // fcgiwrap has a word of its own for a program that does not read.
      const answer = await text(pool, task(server, 'hello', `early${i}`, huge));
      if (name !== 'fcgiwrap') expect(answer).toBe(`early${i}`);
      expect(await text(pool, task(server, 'hello', `then${i}`))).toBe(`then${i}`);
    }
  });

  it('bodies that the program leaves unread, whatever their size, cost no request behind them', async () => {
    await using pool = new Pool(server.address, { connections: 2 });
    const client = async (_: unknown, nth: number): Promise<void> => {
      for (let i = 0; i < 12; i++) {
        const body = Buffer.alloc([7_000, 12_000, 41_000, 81_000][i % 4] ?? 0, 'x');
        const answer = await text(pool, task(server, 'hello', `unread${nth}-${i}`, body));
        if (name !== 'fcgiwrap') expect(answer).toBe(`unread${nth}-${i}`);
        expect(await text(pool, task(server, 'hello', `next${nth}-${i}`))).toBe(`next${nth}-${i}`);
      }
    };
    await Promise.all(Array.from({ length: 3 }, client));
  });

  it.each([
    ['its first request', 0],
    ['a later one', 8],
  ])('a POST whose program dies runs once: %s', async (_, before) => {
    await using pool = new Pool(server.address);
    for (let i = 0; i < before; i++) await ended(pool, task(server, 'hello', `before${i}`));
    for (const [size, body] of [
      ['small', Buffer.from('a=1')],
      ['large', LARGE],
    ] as const) {
      const id = `dies-${before}-${size}`;
      const error = await pool.request(task(server, 'die', id, body)).then(
        () => null,
        (reason: FcgiError) => reason,
      );
      expect(error, size).toMatchObject({ executed: 'unknown', attempts: 1 });
      expect(error?.hint).not.toContain('log of php-fpm');
      expect(runs(server, id), size).toBe(1);
    }
  });
});
