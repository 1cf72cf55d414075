import { describe, expect, it } from 'vitest';
import type { Body } from '../../src/pool/dispatcher.ts';
import { Pool } from '../../src/pool/pool.ts';
import { text } from '../pool/support.ts';
import { executionLog, type Fpm, gone, startFpm, waitFor } from './support/index.ts';

const FORM = { REQUEST_METHOD: 'POST', CONTENT_TYPE: 'application/x-www-form-urlencoded' } as const;

interface Load {
  readonly fpm: Fpm;
  /** Resolves when so many more requests have been answered. */
  more(count: number): Promise<unknown>;
  /** When the pool knows all of a server that has been started: the next one is another. */
  examined(): Promise<unknown>;
}

describe.each(['unix', 'tcp'] as const)('PHP-FPM under the load of 8 clients (%s)', (transport) => {
  /** Clients that post for as long as `events` take; every request must be answered, and none may run twice. */
  async function postDuring(events: (load: Load) => Promise<void>): Promise<void> {
    // Without the time limit PHP-FPM kills what is busy when it is told to reload or to stop.
    await using fpm = await startFpm({ transport, maxChildren: 4, processControlTimeout: 5 });
    const log = executionLog(fpm.root);
    const params = { ...fpm.script('page.php', `${log.php} echo 'ok';`), ...FORM };
    await using pool = new Pool(fpm.address, { connections: 4 });
    let over = false;
    let sent = 0;
    let answered = 0;
    const client = async (): Promise<void> => {
      while (!over) {
        const id = `${sent++}`;
        expect(await text(pool, { params: { ...params, REQUEST_ID: id }, body: 'a=1' })).toBe('ok');
        answered++;
      }
    };
    const clients = Promise.all(Array.from({ length: 8 }, client));
    const more = (count: number): Promise<unknown> => {
      const enough = answered + count;
      return waitFor(() => answered >= enough, { timeout: 10_000, what: `${count} more answers` });
    };
    let seen = 0;
    const examined = async (): Promise<void> => {
      await waitFor(() => pool.stats.closed.examined > seen);
      seen = pool.stats.closed.examined;
    };
    await Promise.race([clients, events({ fpm, more, examined })]);
    over = true;
    await clients;
    const counts = log.executions();
    expect([...counts].filter(([, count]) => count !== 1)).toEqual([]);
    expect(counts.size).toBe(sent);
  }

  it('stopped gracefully and started anew: every request succeeds, none twice', async () => {
    await postDuring(async ({ fpm, more, examined }) => {
      for (let i = 0; i < 3; i++) {
        await more(50);
        await examined();
        const { pid } = fpm;
        fpm.kill('SIGQUIT');
        await gone([pid]);
        await fpm.restart();
      }
      await more(50);
    });
  }, 30_000);

  it('reloaded again and again: every request succeeds, none twice', async () => {
    await postDuring(async ({ fpm, more }) => {
      for (let i = 0; i < 5; i++) {
        await more(50);
        await fpm.reload();
      }
      await more(50);
    });
  }, 30_000);

  it('what waits to be accepted as it is stopped is sent again, and runs once: bodies of every kind', async () => {
    await using fpm = await startFpm({ transport, maxChildren: 1, processControlTimeout: 5 });
    const log = executionLog(fpm.root);
    const page = fpm.script(
      'page.php',
      `${log.php} usleep(300000); echo strlen(file_get_contents('php://input'));`,
    );
    await using pool = new Pool(fpm.address);
    const ask = (id: string, more: Record<string, string>, body: Body): Promise<string> =>
      text(pool, { params: { ...page, REQUEST_ID: id, CONTENT_TYPE: 'a/b', ...more }, body });
    // So the pool knows what the server is.
    await ask('known', {}, null);
    const answers = [
      ask('running', FORM, 'a=1'),
      ask('large', { REQUEST_METHOD: 'POST' }, 'x'.repeat(100_000)),
      ask('multipart', { REQUEST_METHOD: 'POST', CONTENT_TYPE: 'multipart/form-data; boundary=x' }, '--x--'),
      ask('put', { REQUEST_METHOD: 'PUT' }, '{}'),
      // More than can be sent again.
      ask('stream', { REQUEST_METHOD: 'POST', CONTENT_LENGTH: '1000000' }, pieces(1_000, 1_000)),
    ];
    await waitFor(() => log.executions().has('running'));
    const { pid } = fpm;
    fpm.kill('SIGQUIT');
    await gone([pid]);
    await fpm.restart();
    expect(await Promise.all(answers)).toEqual(['3', '100000', '0', '2', '1000000']);
    expect([...log.executions().values()]).toEqual(Array(6).fill(1));
  }, 30_000);

  it('a form that has waited for a worker for 6 s as php-fpm is stopped is sent again, and runs once', async () => {
    await using fpm = await startFpm({ transport, maxChildren: 1, processControlTimeout: 15 });
    const log = executionLog(fpm.root);
    // A signal would end a sleep.
    const page = fpm.script(
      'page.php',
      `${log.php} for ($from = hrtime(true); hrtime(true) - $from < $_SERVER['QUERY_STRING'] * 1e9;); echo 'ok';`,
    );
    // One that knew how many workers there are would have it wait in its queue.
    await using other = new Pool(fpm.address);
    await using pool = new Pool(fpm.address);
    const ask = (by: Pool, id: string, seconds: string): Promise<string> =>
      text(by, { params: { ...page, ...FORM, QUERY_STRING: seconds, REQUEST_ID: id }, body: 'a=1' });
    // So the pool knows what the server is.
    await ask(pool, 'known', '0');
    await waitFor(() => pool.stats.closed.examined > 0);
    const running = ask(other, 'running', '6');
    await waitFor(() => log.executions().has('running'));
    const answers = [running, ask(pool, 'waiting', '0')];
    const { pid } = fpm;
    fpm.kill('SIGQUIT');
    await gone([pid], 15_000);
    await fpm.restart();
    expect(await Promise.all(answers)).toEqual(['ok', 'ok']);
    expect([...log.executions().values()]).toEqual([1, 1, 1]);
  }, 30_000);
});

async function* pieces(count: number, length: number): AsyncGenerator<Buffer> {
  for (let i = 0; i < count; i++) yield Buffer.alloc(length);
}
