/** Three hosts that are restarted one after the other, for as long as many requests take: none fails, none runs twice. */
import { Upstream } from '../../../src/index.ts';
import { scriptParams, waitFor } from '../../fpm/support/index.ts';
import { rollingRestart } from '../hosts/events.ts';
import { startFarm } from '../hosts/farm.ts';
import type { Row } from '../lib/table.ts';
import { collector } from '../storm/contenders.ts';
import { Ledger } from '../storm/ledger.ts';
import { messageOf } from '../storm/messages.ts';

const CLIENTS = 12;
/** It is over then, whatever was sent. */
const LONGEST = 8 * 60_000;

export async function rolling(count: number): Promise<Row[]> {
  const farm = await startFarm({ transport: 'tcp', maxChildren: 4, processControlTimeout: 5 }, {});
  try {
    const upstream = new Upstream(farm.addresses, { connections: 4 });
    const ledger = new Ledger();
    const params = scriptParams(farm.root, 'echo.php');
    const until = performance.now() + LONGEST;
    let left = count;
    const client = async (): Promise<void> => {
      while (left-- > 0 && performance.now() < until) {
        const id = ledger.next();
        const { method, contentType, body, expected } = messageOf('form', id);
        const own = { REQUEST_METHOD: method, QUERY_STRING: `id=${id}`, CONTENT_TYPE: contentType ?? '' };
        const begun = performance.now();
        const outcome = await new Promise<Parameters<Ledger['record']>[1]>((resolve) =>
          upstream.dispatch({ params: { ...params, ...own }, body }, collector(expected, resolve)),
        );
        ledger.record(id, outcome, performance.now() - begun, false);
      }
    };
    let isOver = false;
    const sent = Promise.all(Array.from({ length: CLIENTS }, client)).finally(() => {
      isOver = true;
    });
    // Before a server has shown what it is, a request that it loses fails as 'unknown': see docs/promise.md.
    const isKnown = (): boolean => upstream.stats.servers.every(({ stats }) => stats.closed.examined > 0);
    await waitFor(isKnown, { what: 'a look at each server' });
    let rounds = 0;
    while (!isOver) {
      await rollingRestart(farm);
      rounds++;
    }
    await sent;
    const { retried } = upstream.stats;
    await upstream.close();
    await farm.lastRuns();
    await ledger.readRuns(farm.log);
    const { sent: all, failed, wrong, lost, twice, p99, reasons } = ledger.tally();
    const why = [...reasons].map(([reason, times]) => `; ${times} ${reason}`).join('');
    return [
      {
        what: `three hosts restarted in turn, ${rounds} times`,
        ours: `${failed + wrong} failed, ${twice} ran twice`,
        other: `of ${all}; ${retried} sent again; p99 ${p99.toFixed(0)} ms${why}`,
        ratio: failed + wrong + lost + twice,
        most: 0,
      },
    ];
  } finally {
    await farm.stop();
  }
}
