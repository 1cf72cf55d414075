/** What the channels cost: nothing where nobody listens, and what where somebody does. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { systemRuntime } from '../../../src/connection/runtime.ts';
import { CHANNELS } from '../../../src/index.ts';
import { resolveOptions } from '../../../src/pool/options.ts';
import { Pool, schedulerOf } from '../../../src/pool/pool.ts';
import { tempDir } from '../../fpm/support/index.ts';
import { startChild } from '../lib/child.ts';
import { dispatching } from '../lib/loops.ts';
import { inTurns } from '../lib/measure.ts';
import { typicalParams } from '../lib/records.ts';
import type { Row } from '../lib/table.ts';

const us = (value: number): string => `${value.toFixed(2)} us`;

/** CPU of dispatch(): as it is, with a listener, and past the channels, straight to what a Pool consists of. */
export async function channels(bundle: URL, count: number, turns: number): Promise<Row[]> {
  const folder = tempDir();
  const path = `${folder.path}/responder.sock`;
  const responder = await startChild(bundle, 'responder', [path]);
  try {
    const params = typicalParams('/srv/app/public');
    const options = { connections: 8, keepaliveRequests: 0, keepaliveTimeout: 0 };
    const address = `unix:${path}`;
    const past = schedulerOf(address, resolveOptions(options), systemRuntime);
    const pool = new Pool(address, options);
    const quiet = dispatching(pool, { params }, 8);
    const listener = (): void => {};
    const works = {
      past: dispatching(past, { params }, 8),
      quiet,
      heard: async (more: number): Promise<void> => {
        subscribe(`tracing:${CHANNELS.request}:asyncEnd`, listener);
        await quiet(more);
        unsubscribe(`tracing:${CHANNELS.request}:asyncEnd`, listener);
      },
    };
    const costs = await inTurns(works, count, turns);
    await Promise.all([past.close(), pool.close()]);
    const other = `without channels ${us(costs.past.cpu)}`;
    return [
      {
        what: 'CPU of dispatch() where nobody listens',
        ours: us(costs.quiet.cpu),
        other,
        ratio: costs.quiet.cpu / costs.past.cpu,
        most: 1.01,
      },
      {
        what: 'CPU of dispatch() with a listener',
        ours: us(costs.heard.cpu),
        other,
        ratio: costs.heard.cpu / costs.past.cpu,
      },
    ];
  } finally {
    await responder.stop();
    folder.remove();
  }
}
