import { readFile } from 'node:fs/promises';
import { setTimeout as later, setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { eventLoop } from '../../../src/gateway/site/event-loop.ts';

const loops = [
  ['counted by node', eventLoop()],
  ['watched, where the runtime does not count', eventLoop({})],
] as const;

it.each(loops)(
  '%s: one number within a turn, promises included, and another one behind it',
  async (_, loop) => {
    await nextTurn();
    const first = loop.turn();
    await Promise.resolve();
    expect(loop.turn()).toBe(first);
    const seen = [first];
    for (const behind of [() => nextTurn(), () => later(1), () => readFile(import.meta.filename)]) {
      // What a watched loop counts are the turns behind which it was asked.
      await behind();
      await nextTurn();
      seen.push(loop.turn());
    }
    expect(new Set(seen).size).toBe(seen.length);
  },
);

it('a worker thread has turns of its own', async () => {
  const source = `
    const { performance } = require('node:perf_hooks');
    const { parentPort } = require('node:worker_threads');
    const turn = () => performance.nodeTiming.uvMetricsInfo.loopCount;
    const first = turn();
    setTimeout(() => parentPort.postMessage(turn() - first), 5);
  `;
  const worker = new Worker(source, { eval: true });
  const turns = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  await worker.terminate();
  expect(turns).toBeGreaterThan(0);
});
