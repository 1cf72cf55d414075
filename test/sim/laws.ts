/** What must hold of every scenario. Each law says what it found against it. */

import type { Drawn } from './draw.ts';
import type { Asked } from './gateway.ts';
import type { Outcome } from './scenario.ts';
import { percentile } from './scenario.ts';

export type Law = (drawn: Drawn, outcome: Outcome) => string[];

/** Refusals that a pool may make, and what a client does by itself. */
const ALLOWED = new Set(['', 'FCGI_ERR_QUEUE_OVERLOAD', 'FCGI_ERR_QUEUE_FULL', 'gave up']);

export const laws: Readonly<Record<string, Law>> = {
  'no request waits for ever': (_, { asked }) => some(asked, ({ took }) => took < 0),

  'no request runs twice': (_, { fpm }) =>
    [...fpm.ran].filter(([, times]) => times > 1).map(([id, times]) => `${id} ran ${times} times`),

  'what was answered has run, and what is told not to have run has not': (_, { asked, fpm }) =>
    some(asked, ({ id, error, executed }) => {
      const ran = fpm.ran.has(id);
      return (error === '' && !ran) || (executed === 'no' && ran);
    }),

  'none fails that a retry could have saved': ({ killEvery }, { asked, fpm }) =>
    some(asked, ({ id, error }) => !ALLOWED.has(error) && (killEvery === undefined || !fpm.ran.has(id))),

  'nothing is kept once nobody asks': (_, { heldAfter }) =>
    heldAfter === 0 ? [] : [`${heldAfter} workers are held`],

  'while requests wait, the workers work': (drawn, { used }) => {
    if (drawn.kind !== 'closed') return [];
    const mean = drawn.pages.reduce((sum, page) => sum + page, 0) / drawn.pages.length;
    const { keepalive } = drawn.options ?? {};
    // What accepting, connecting and a round trip over the network take of each request, at the most.
    const lost = 0.1 + (keepalive === 0 ? 0.1 : 0.05) + 2.5 * (drawn.latency ?? 0);
    const started = drawn.fpm.started === drawn.fpm.workers ? 1 : 0.97;
    const least = (0.95 * started * mean) / (mean + lost);
    return used >= least ? [] : [`used ${used.toFixed(3)}, at least ${least.toFixed(3)}`];
  },

  'nobody is overtaken for long': (drawn, { asked }) => {
    if (drawn.kind !== 'closed') return [];
    const longest = Math.max(...drawn.pages);
    const mean = drawn.pages.reduce((sum, page) => sum + page, 0) / drawn.pages.length;
    const inTurn = ((drawn.clients ?? 0) / drawn.fpm.workers) * (mean + 0.3 + 4 * (drawn.latency ?? 0));
    const most = 3 * inTurn + 2 * longest + 200;
    return some(asked, ({ error, took }) => error === '' && took > most).map(
      (one) => `${one} (${most.toFixed(0)})`,
    );
  },

  'who is served under overload is served in time': (drawn, { asked }) => {
    if (drawn.kind !== 'overload') return [];
    const longest = Math.max(...drawn.pages);
    const served = asked.filter(({ error }) => error === '').map(({ took }) => took);
    const p99 = percentile(served, 0.99);
    const most = Math.max(1_000, 4 * longest) + 10 * (drawn.latency ?? 0);
    return p99 <= most ? [] : [`p99 ${p99.toFixed(0)} ms, at most ${most.toFixed(0)}`];
  },

  'overload leaves no worker idle': (drawn, { used, asked }) => {
    if (drawn.kind !== 'overload') return [];
    const mean = drawn.pages.reduce((sum, page) => sum + page, 0) / drawn.pages.length;
    const wanted = asked.reduce((sum, { ms }) => sum + ms, 0) / (drawn.fpm.workers * drawn.ms);
    const least = (0.85 * Math.min(1, wanted) * mean) / (mean + 0.2 + 2.5 * (drawn.latency ?? 0));
    return used >= least ? [] : [`used ${used.toFixed(3)}, at least ${least.toFixed(3)}`];
  },
};

function some(asked: readonly Asked[], isBad: (one: Asked) => boolean): string[] {
  return asked
    .filter(isBad)
    .slice(0, 3)
    .map(
      ({ id, error, executed, took }) =>
        `${id}: ${error || 'answered'}, executed ${executed || '?'}, ${took.toFixed(1)} ms`,
    );
}

/** All that a scenario breaks. */
export function broken(drawn: Drawn, outcome: Outcome): string[] {
  return Object.entries(laws).flatMap(([name, law]) =>
    law(drawn, outcome).map((found) => `${name}: ${found}`),
  );
}
