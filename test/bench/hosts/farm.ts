/** Three PHP-FPM that run the same scripts on one document root, and can be made slow one by one. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Pool } from '../../../src/pool/pool.ts';
import {
  type Backend,
  type Fpm,
  type FpmOptions,
  gone,
  scriptParams,
  startFpm,
  tempDir,
} from '../../fpm/support/index.ts';
import { scripts } from '../storm/scripts.ts';

export const NODES = ['a', 'b', 'c'] as const;
/** ms that a page takes, and what is added where a host is slow. */
const WORK = 10;
const SLOW = 400;

export interface Farm {
  readonly root: string;
  readonly fpms: readonly Fpm[];
  /** Where each is found: its own address, unless a network lies between. */
  readonly backends: readonly Backend[];
  readonly addresses: readonly string[];
  /** PHP notes in it what it runs: Ledger.readRuns(). */
  readonly log: string;
  /** The first one is slow, or is not. */
  slow(isSlow: boolean): void;
  /** Nothing that was sent runs any more afterwards. */
  lastRuns(): Promise<void>;
  stop(): Promise<void>;
}

/** `first`: what is special about the first. `through`: under this host it is found, and not by its own. */
export async function startFarm(options: FpmOptions, first: FpmOptions, through?: string): Promise<Farm> {
  const folder = tempDir('hosts-');
  const root = join(folder.path, 'root');
  const [log, flag] = [join(folder.path, 'runs.log'), join(folder.path, 'slow')];
  mkdirSync(root);
  writeFileSync(log, '');
  const slowdown = `if (getenv('NODE') === 'a' && file_exists('${flag}')) usleep(${1000 * SLOW});`;
  writeFileSync(join(root, 'echo.php'), `${scripts(log, WORK)['echo.php']}\n${slowdown}`);
  const fpms = await Promise.all(
    NODES.map((node, i) => startFpm({ ...options, ...(i === 0 ? first : {}), extra: `env[NODE] = ${node}` })),
  );
  const backends = fpms.map(({ endpoint }, i): Backend => {
    const isMoved = i === 0 && through !== undefined && 'port' in endpoint;
    return { endpoint: isMoved ? { host: through, port: endpoint.port } : endpoint, root };
  });
  return {
    root,
    fpms,
    backends,
    addresses: backends.map(({ endpoint }) =>
      'path' in endpoint ? `unix:${endpoint.path}` : `${endpoint.host}:${endpoint.port}`,
    ),
    log,
    slow: (isSlow) => (isSlow ? writeFileSync(flag, '') : rmSync(flag, { force: true })),
    lastRuns: async () => {
      for (const fpm of fpms) await lastRun(fpm);
    },
    async stop() {
      await Promise.all(fpms.map((fpm) => fpm.stop()));
      folder.remove();
    },
  };
}

/** A request behind all others in the backlog has been answered, and SIGQUIT lets the scripts end that still run. */
async function lastRun(fpm: Fpm): Promise<void> {
  await using last = new Pool(fpm.address, { keepalive: 0 });
  const params = { ...scriptParams(fpm.root, 'ping'), SCRIPT_NAME: '/ping', SCRIPT_FILENAME: '/ping' };
  await (await last.request({ params, retry: 'always' })).body.text();
  const { pid } = fpm;
  fpm.kill('SIGQUIT');
  await gone([pid], 15_000);
}
