/** php-fpm under a load that outruns it: bare sockets that are always busy, pools, and HTTP clients that give up. */
import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Fpm } from '../../fpm/support/index.ts';
import { cannedRequest, typicalParams } from './records.ts';

/** A script that sleeps for MS ms, or from MS to MAX, evenly: a page that waits for its database. */
export const SLEEPS = `<?php usleep(1000 * mt_rand((int) $_GET['ms'], (int) ($_GET['max'] ?? $_GET['ms']))); echo 'ok';`;

export function sleeping(fpm: Fpm, pages: readonly [number, number]): Record<string, string> {
  const [ms, max] = pages;
  return { ...typicalParams(fpm.root, '/sleep.php'), QUERY_STRING: `ms=${ms}&max=${max}` };
}

/**
 * Pages from `pages[0]` to `pages[1]` ms, evenly, in an order that is always the same: where each contender draws its own,
 * a hundred pages differ by a tenth by chance alone.
 */
export function sleepingInTurn(fpm: Fpm, [ms, max]: readonly [number, number]): Record<string, string>[] {
  // Multiples of the golden ratio, less their whole part: each next one falls into the largest gap.
  const parts = Array.from({ length: ms === max ? 1 : 89 }, (_, i) => (i * 0.618_033_988_749_894_9) % 1);
  return parts.map((part) => {
    const page = Math.round(ms + part * (max - ms));
    return sleeping(fpm, [page, page]);
  });
}

/** Answers that so many kept sockets had within so many ms, each always busy with the next page in turn. */
export async function bareAnswers(
  fpm: Fpm,
  pages: readonly Record<string, string>[],
  sockets: number,
  ms: number,
): Promise<number> {
  const bytes = pages.map(cannedRequest);
  let answers = 0;
  let sent = 0;
  const next = (): Buffer => bytes[sent++ % bytes.length] ?? Buffer.alloc(0);
  const open = Array.from({ length: sockets }, () => {
    const socket = connect(fpm.endpoint);
    socket.on('data', (chunk: Buffer) => {
      // An answer ends with the 16 bytes of END_REQUEST.
      if (chunk[chunk.length - 15] !== 3) return;
      answers++;
      socket.write(next());
    });
    socket.write(next());
    return socket;
  });
  await delay(ms);
  for (const socket of open) socket.destroy();
  const counted = answers;
  // PHP notices that its client has gone with the output of the script that runs.
  await delay(350);
  return counted;
}

export interface Answer {
  /** 0: none. */
  readonly status: number;
  readonly ms: number;
}

/** One HTTP request on a connection of its own; its client leaves after `giveUp` ms. */
export function ask(url: string, giveUp: number): Promise<Answer> {
  const begun = performance.now();
  return new Promise((resolve) => {
    const done = (status: number): void => {
      clearTimeout(leave);
      resolve({ status, ms: performance.now() - begun });
    };
    const request = get(url, { agent: new Agent() }, (response) => {
      response.on('error', () => done(0)).on('end', () => done(response.statusCode ?? 0));
      response.resume();
    });
    request.on('error', () => done(0));
    const leave = setTimeout(() => request.destroy(), giveUp);
  });
}

/** So many clients, each with its next request as soon as it was answered; answers within so many ms. */
export async function answersOf(one: () => Promise<boolean>, clients: number, ms: number): Promise<number> {
  const until = performance.now() + ms;
  let answers = 0;
  const client = async (): Promise<void> => {
    while (performance.now() < until) {
      const isAnswered = await one();
      if (isAnswered && performance.now() < until) answers++;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return answers;
}

export function percentile(times: readonly number[], part: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}
