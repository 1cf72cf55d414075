/** Does a request cost the same with many connections, and with many that wait? What does an idle connection weigh? */
import { Pool } from '../../../src/index.ts';
import { tempDir } from '../../fpm/support/index.ts';
import { startChild } from '../lib/child.ts';
import { dispatching } from '../lib/loops.ts';
import { inTurns } from '../lib/measure.ts';
import { typicalParams } from '../lib/records.ts';
import type { Row } from '../lib/table.ts';

const us = (value: number): string => `${value.toFixed(1)} us`;

export async function scale(bundle: URL, count: number, turns: number): Promise<Row[]> {
  const folder = tempDir();
  const path = `${folder.path}/responder.sock`;
  const responder = await startChild(bundle, 'responder', [path]);
  const params = typicalParams('/srv/app/public');
  const pool = (connections: number): Pool =>
    new Pool(`unix:${path}`, { connections, keepaliveRequests: 0, keepaliveTimeout: 0, queueSize: 20_000 });
  try {
    const [few, many, queued] = [pool(8), pool(256), pool(8)];
    const costs = await inTurns(
      {
        few: dispatching(few, { params }, 8),
        many: dispatching(many, { params }, 256),
        queued: dispatching(queued, { params }, 10_008),
      },
      count,
      turns,
    );
    const weight = await idleWeight(pool(256), params);
    const grown = await growth(pool(8), params, 20 * count);
    await Promise.all([few.close(), many.close(), queued.close()]);
    return [
      {
        what: 'CPU with 256 connections',
        ours: us(costs.many.cpu),
        other: `with 8: ${us(costs.few.cpu)}`,
        ratio: costs.many.cpu / costs.few.cpu,
        most: 1.15,
      },
      {
        what: 'CPU with 10,000 that wait',
        ours: us(costs.queued.cpu),
        other: `with none: ${us(costs.few.cpu)}`,
        ratio: costs.queued.cpu / costs.few.cpu,
        most: 1.15,
      },
      { what: 'an idle connection, KiB', ours: weight.toFixed(1), other: '12', ratio: weight / 12, most: 1 },
      {
        what: `heap after ${20 * count} requests more, KiB`,
        ours: grown.toFixed(0),
        other: '512',
        ratio: Math.max(0, grown) / 512,
        most: 1,
      },
    ];
  } finally {
    await responder.stop();
    folder.remove();
  }
}

function collected(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1024;
}

async function idleWeight(pool: Pool, params: Record<string, string>): Promise<number> {
  const before = collected();
  await dispatching(pool, { params }, 256)(2560);
  const weight = (collected() - before) / Math.max(1, pool.stats.connected);
  await pool.close();
  return weight;
}

async function growth(pool: Pool, params: Record<string, string>, count: number): Promise<number> {
  const work = dispatching(pool, { params }, 8);
  await work(20_000);
  const before = collected();
  await work(count);
  const grown = collected() - before;
  await pool.close();
  return grown;
}
