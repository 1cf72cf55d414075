/** php-cgi closes a connection under the request that is on its way, where a child has served its number of requests. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { FcgiError, Pool, type PoolOptions } from '../../src/index.ts';
import { text } from '../pool/support.ts';
import { type Running, startServer } from './support/servers.ts';
import { task } from './support/task.ts';

const CLIENTS = 4;
const EACH = 150;
/** One in so many kills its child. */
const DIES = 25;
const BODY = Buffer.from('a=1');

interface Outcome {
  readonly lost: readonly FcgiError[];
  readonly killed: readonly FcgiError[];
}

/** GETs and POSTs in turn, all of which must run once at the most. */
async function load(server: Running, options: PoolOptions): Promise<Outcome> {
  const lost: FcgiError[] = [];
  const killed: FcgiError[] = [];
  await using pool = new Pool(server.address, options);
  const client = async (_: unknown, nth: number): Promise<void> => {
    for (let i = 0; i < EACH; i++) {
      const dies = i % DIES === DIES - 1;
      const id = `c${nth}n${i}`;
      try {
        await text(pool, task(server, dies ? 'die' : 'hello', id, i % 2 === 0 ? BODY : null));
      } catch (error) {
        if (!(error instanceof FcgiError)) throw error;
        (dies ? killed : lost).push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return { lost, killed };
}

it.each<[string, PoolOptions]>([
  ["with backend: 'php-fpm'", { backend: 'php-fpm' }],
  ['with keepalive: 0', { keepalive: 0 }],
])(
  'php-cgi, recycled after 20 requests, loses none and runs none twice: %s',
  async (_, options) => {
    await using server = await startServer('php-cgi', { PHP_FCGI_MAX_REQUESTS: '20' });
    const { lost, killed } = await load(server, options);
    expect(lost.map((error) => `${error.code}, ${error.hint}`)).toEqual([]);
    expect(killed.map(({ executed }) => executed)).toEqual(Array(CLIENTS * (EACH / DIES)).fill('unknown'));
    const ran = readFileSync(server.log, 'utf8').trimEnd().split('\n');
    expect(ran).toHaveLength(new Set(ran).size);
    expect(ran).toHaveLength(CLIENTS * EACH);
  },
  60_000,
);
