/** What a request costs the client, beside the client floor, on a responder that does nothing and on php-fpm. */
import { Pool } from '../../../src/index.ts';
import { startFpm, tempDir } from '../../fpm/support/index.ts';
import { startChild } from '../lib/child.ts';
import { clientFloor } from '../lib/floor.ts';
import { dispatching, requesting } from '../lib/loops.ts';
import { inTurns } from '../lib/measure.ts';
import { cannedRequest, typicalParams } from '../lib/records.ts';
import type { Row } from '../lib/table.ts';

const us = (value: number): string => `${value.toFixed(1)} us`;

/** CPU, on a responder: with one connection both ends sleep between requests, with eight hardly. */
export async function clientCpu(bundle: URL, count: number, turns: number): Promise<Row[]> {
  const folder = tempDir();
  const path = `${folder.path}/responder.sock`;
  const responder = await startChild(bundle, 'responder', [path]);
  try {
    const rows: Row[] = [];
    for (const connections of [8, 1]) {
      const params = typicalParams('/srv/app/public');
      const floor = await clientFloor({ path }, cannedRequest(params), connections);
      const pool = new Pool(`unix:${path}`, { connections, keepaliveRequests: 0, keepaliveTimeout: 0 });
      const works = {
        floor: floor.run,
        dispatch: dispatching(pool, { params }, connections),
        request: requesting(pool, { params }, connections),
      };
      const costs = await inTurns(works, count, turns);
      for (const [name, most] of [
        ['dispatch', 2.2],
        ['request', 3.0],
      ] as const) {
        rows.push({
          what: `CPU of ${name}(), ${connections} connection${connections > 1 ? 's' : ''}`,
          ours: us(costs[name].cpu),
          other: `client floor ${us(costs.floor.cpu)}`,
          ratio: costs[name].cpu / costs.floor.cpu,
          most,
        });
      }
      floor.close();
      await pool.close();
    }
    return rows;
  } finally {
    await responder.stop();
    folder.remove();
  }
}

/** Throughput on php-fpm: each contender has one of its own, as kept connections hold workers. */
export async function clientOnPhp(count: number, turns: number): Promise<Row[]> {
  const lanes = 4;
  const options = {
    transport: 'unix',
    maxChildren: lanes,
    files: { 'hello.php': '<?php echo "hello";' },
  } as const;
  await using forFloor = await startFpm(options);
  await using forPool = await startFpm(options);
  const floorParams = typicalParams(forFloor.root);
  const params = typicalParams(forPool.root);
  const floor = await clientFloor(
    { path: forFloor.address.slice('unix:'.length) },
    cannedRequest(floorParams),
    lanes,
  );
  await using pool = new Pool(forPool.address, { connections: lanes, keepaliveRequests: 0 });
  const works = {
    floor: floor.run,
    dispatch: dispatching(pool, { params }, lanes),
    request: requesting(pool, { params }, lanes),
  };
  const costs = await inTurns(works, count, turns);
  floor.close();
  const rate = (wall: number): string => `${Math.round(1_000_000 / wall)} a second`;
  return (
    [
      ['dispatch', 0.92],
      ['request', 0.9],
    ] as const
  ).map(([name, least]) => ({
    what: `throughput of ${name}() on php-fpm`,
    ours: rate(costs[name].wall),
    other: `client floor ${rate(costs.floor.wall)}`,
    ratio: costs.floor.wall / costs[name].wall,
    least,
  }));
}
