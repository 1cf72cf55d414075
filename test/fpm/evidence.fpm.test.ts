import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FcgiError } from '../../src/errors.ts';
import type { DispatchRequest } from '../../src/pool/dispatcher.ts';
import type { PoolOptions } from '../../src/pool/options.ts';
import { Pool } from '../../src/pool/pool.ts';
import { ended, Recorder } from '../pool/support.ts';
import { firstPid } from './support/fpm.ts';
import {
  type ExecutionLog,
  executionLog,
  type Fpm,
  type FpmOptions,
  startFpm,
  waitFor,
} from './support/index.ts';

type Kind = 'GET' | 'form POST' | 'JSON POST' | 'PUT';

interface Bench extends AsyncDisposable {
  readonly fpm: Fpm;
  readonly pool: Pool;
  readonly log: ExecutionLog;
  /** Writes its id to the log, and answers. `before`: PHP that runs first. */
  request(id: string, kind: Kind, before?: string): DispatchRequest;
}

async function bench(fpmOptions: FpmOptions, poolOptions: PoolOptions = {}): Promise<Bench> {
  const fpm = await startFpm(fpmOptions);
  // No lease: on a busy machine it would be over before the first answer, and there would be no race.
  const pool = new Pool(fpm.address, { backend: 'php-fpm', keepaliveTime: 0, ...poolOptions });
  const log = executionLog(fpm.root);
  let scripts = 0;
  return {
    fpm,
    pool,
    log,
    request(id, kind, before = '') {
      const script = fpm.script(
        `${scripts++}.php`,
        `${log.php} ${before} echo strlen(file_get_contents('php://input'));`,
      );
      const [method = '', type] = {
        GET: ['GET', ''],
        'form POST': ['POST', 'application/x-www-form-urlencoded'],
        'JSON POST': ['POST', 'application/json'],
        PUT: ['PUT', 'application/json'],
      }[kind];
      const params = {
        ...script,
        REQUEST_ID: id,
        REQUEST_METHOD: method,
        ...(type ? { CONTENT_TYPE: type } : {}),
      };
      return { params, body: kind === 'GET' ? null : 'a=1' };
    },
    [Symbol.asyncDispose]: async () => {
      await pool.destroy();
      await fpm.stop();
    },
  };
}

/** Sends `second` on the same connection in the very turn in which the first response ends: nothing can be seen yet. */
function raceIn(
  pool: Pool,
  first: DispatchRequest,
  second: DispatchRequest,
): { over: Promise<unknown>; second: Recorder } {
  const racing = new Recorder();
  const opening = new Recorder();
  const { onResponseEnd } = opening;
  opening.onResponseEnd = (controller, how) => {
    pool.dispatch(second, racing);
    onResponseEnd.call(opening, controller, how);
  };
  pool.dispatch(first, opening);
  return { over: opening.over.then(() => racing.over), second: racing };
}

const every: Kind[] = ['GET', 'form POST', 'JSON POST', 'PUT'];
/** Those of which a reset proves something. */
const provable: Kind[] = ['GET', 'form POST', 'JSON POST'];

describe.each(['unix', 'tcp'] as const)('what PHP-FPM did with a request, on %s', (transport) => {
  describe.each(provable)('a worker is recycled at pm.max_requests as a %s comes in', (kind) => {
    it('it is proven that it did not run, and the likely cause is named', async () => {
      // On a busy machine the FIN may cross with a part of the request: then it is for him to say that PHP reads a POST first.
      const options: PoolOptions = { retry: 'never', postDataReading: 16_384 };
      await using one = await bench({ transport, maxRequests: 1 }, options);
      const race = raceIn(one.pool, one.request('1', kind), one.request('2', kind));
      expect(await race.over).toMatchObject({
        code: 'FCGI_ERR_SOCKET_CLOSED',
        executed: 'no',
        reused: true,
        requestsOnConnection: 2,
        attempts: 1,
        bytesReceived: 0,
        hint: expect.stringContaining('pm.max_requests'),
      });
      expect(one.log.executions()).toEqual(new Map([['1', 1]]));
      expect(one.pool.stats.closed.recycled).toBe(1);
    });

    it('by default it is sent again and runs once', async () => {
      await using one = await bench({ transport, maxRequests: 1 });
      const race = raceIn(one.pool, one.request('1', kind), one.request('2', kind));
      expect(await race.over).toBeNull();
      expect(race.second.ended).toMatchObject({ reused: false, attempts: 2 });
      expect(one.log.executions()).toEqual(ONCE_EACH);
      expect(one.pool.stats.retried).toBe(1);
    });
  });

  it('a PUT on a kept connection, where it may run twice by its policy, is sent again when the worker was recycled', async () => {
    await using one = await bench({ transport, maxRequests: 1 }, { retry: 'idempotent' });
    const race = raceIn(one.pool, one.request('1', 'PUT'), one.request('2', 'PUT'));
    expect(await race.over).toBeNull();
    expect(race.second.ended).toMatchObject({ attempts: 2 });
    expect(one.pool.stats.closed.recycled).toBe(1);
    expect(one.log.executions()).toEqual(ONCE_EACH);
  });

  /** Both requests ran, and neither twice. */
  const ONCE_EACH: ReadonlyMap<string, number> = new Map([
    ['1', 1],
    ['2', 1],
  ]);

  describe('a reload while a worker is busy, and a request right behind', () => {
    /** Holds its worker until SIGUSR2 has been sent on to it. */
    const reload = async (
      kind: Kind,
      options: PoolOptions,
      before: string,
    ): Promise<[Bench, unknown, Recorder]> => {
      const one = await bench({ transport, maxChildren: 1, processControlTimeout: 10 }, options);
      const go = join(one.fpm.root, 'go');
      const hold = `${before} while (!file_exists('${go}')) { usleep(500); clearstatcache(); }`;
      const race = raceIn(one.pool, one.request('1', 'GET', hold), one.request('2', kind));
      await waitFor(() => one.log.executions().has('1'));
      const listening = sockets(one);
      one.fpm.kill('SIGUSR2');
      await waitFor(() => sockets(one) !== listening);
      writeFileSync(go, '');
      return [one, await race.over, race.second];
    };

    /** Where this process was not let run in time, the FIN comes with the answer, and the next request never meets that worker: once more. */
    const reloaded = async (
      kind: Kind,
      options: PoolOptions,
      before = '',
    ): Promise<[Bench, unknown, Recorder]> => {
      for (let tries = 1; ; tries++) {
        const outcome = await reload(kind, options, before);
        const [one, , { ended }] = outcome;
        const neverMet = ended?.attempts === 1 && !ended.reused && ended.executed === 'yes';
        if (kind === 'PUT' || !neverMet || tries === 20) return outcome;
        expect(one.log.executions()).toEqual(ONCE_EACH);
        await one[Symbol.asyncDispose]();
      }
    };

    it.each<Kind>(['GET', 'form POST', 'JSON POST'])(
      'a %s: it is proven that it did not run',
      async (kind) => {
        const [one, error] = await reloaded(kind, { retry: 'never', postDataReading: 16_384 });
        await using _ = one;
        expect(error).toMatchObject({ executed: 'no', reused: true, attempts: 1 });
        // Over tcp the request may cross with the FIN, and meets a closed socket only then.
        const codes = ['FCGI_ERR_SOCKET_RESET', ...(transport === 'tcp' ? ['FCGI_ERR_SOCKET_CLOSED'] : [])];
        expect(codes).toContain((error as FcgiError).code);
        expect(one.log.executions()).toEqual(new Map([['1', 1]]));
      },
    );

    it('a program that the script has started holds its connection for seconds: it is sent again once that ends', async () => {
      const start = `exec('sleep 6 > /dev/null 2>&1 &');`;
      const [one, error, second] = await reloaded('GET', {}, start);
      await using _ = one;
      expect(error).toBeNull();
      expect(second.ended).toMatchObject({ attempts: 2, reused: false });
      expect(one.log.executions()).toEqual(ONCE_EACH);
    });

    it('a form POST: where nobody has said that PHP reads it first, that is no proof', async () => {
      const [one, error] = await reloaded('form POST', { retry: 'never' });
      await using _ = one;
      const hint = expect.stringContaining('say `postDataReading: 16384`');
      expect(error).toMatchObject({ executed: 'unknown', attempts: 1, hint });
      expect(one.log.executions()).toEqual(new Map([['1', 1]]));
    });

    it.each<Kind>(['GET', 'form POST', 'JSON POST'])(
      'a %s: by default it is sent again and runs once',
      async (kind) => {
        const [one, error, second] = await reloaded(kind, {});
        await using _ = one;
        expect(error).toBeNull();
        expect(second.ended).toMatchObject({ attempts: 2, reused: false });
        expect(one.log.executions()).toEqual(ONCE_EACH);
      },
    );

    it('a PUT with a body: a reset would prove nothing, so it has not been sent on that connection', async () => {
      const [one, error, second] = await reloaded('PUT', {});
      await using _ = one;
      expect(error).toBeNull();
      expect(second.ended).toMatchObject({ reused: false, attempts: 1 });
      expect(one.log.executions()).toEqual(ONCE_EACH);
    });

    it('a PUT that is allowed to run twice is sent again', async () => {
      const [one, error] = await reloaded('PUT', { retry: 'idempotent' });
      await using _ = one;
      expect(error).toBeNull();
      expect(one.log.executions()).toEqual(ONCE_EACH);
    });
  });

  describe.each(every)('a worker dies while it runs a %s', (kind) => {
    it.each([
      ['at once', ''],
      ['after the end of input was sent', 'usleep(150000);'],
    ])('%s: it may have run, so it is not sent again, and runs once', async (_, wait) => {
      await using one = await bench({ transport });
      await expect(
        one.pool.request(one.request('1', kind, `${wait} posix_kill(getmypid(), 9);`)),
      ).rejects.toMatchObject({
        code: expect.stringMatching(/^FCGI_ERR_SOCKET_(CLOSED|RESET)$/),
        executed: 'unknown',
        attempts: 1,
        bytesReceived: 0,
      });
      expect(one.log.executions()).toEqual(new Map([['1', 1]]));
    });

    it('on a kept connection as well', async () => {
      await using one = await bench({ transport });
      const race = raceIn(
        one.pool,
        one.request('1', kind),
        one.request('2', kind, 'posix_kill(getmypid(), 9);'),
      );
      expect(await race.over).toMatchObject({ executed: 'unknown', attempts: 1, reused: true });
      expect(one.log.executions()).toEqual(ONCE_EACH);
    });

    it('after a byte of its answer: it ran, and no policy sends it again', async () => {
      await using one = await bench({ transport }, { retry: 'always' });
      const half = `echo 'x'; while (ob_get_level() > 0) { ob_end_flush(); } flush(); posix_kill(getmypid(), 9);`;
      const response = await one.pool.request(one.request('1', kind, half));
      await expect(response.body.bytes()).rejects.toMatchObject({
        executed: 'yes',
        attempts: 1,
        phase: 'body',
      });
      expect(one.log.executions()).toEqual(new Map([['1', 1]]));
    });
  });

  it('workers killed while idle, a request right behind: every one is answered, none ran twice', async () => {
    await using one = await bench({ transport, maxChildren: 2 });
    await ended(one.pool, one.request('first', 'GET'));
    for (let i = 0; i < 20; i++) {
      const worker = firstPid([...one.log.entries()].reverse().map((entry) => entry.worker));
      process.kill(worker, 'SIGKILL');
      await ended(one.pool, one.request(`${i}`, every[i % 3] ?? 'GET'));
    }
    expect([...one.log.executions().values()]).toEqual(Array.from({ length: 21 }, () => 1));
  });
});

/** The sockets of the worker that ran first. When SIGQUIT has come to it, the listening one is not among them. */
function sockets({ log }: Bench): string {
  const folder = `/proc/${log.entries()[0]?.worker}/fd`;
  const links = readdirSync(folder).map((name) => linkOf(join(folder, name)));
  return links.filter((link) => link.startsWith('socket:')).join(' ');
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // closed meanwhile
  }
}
