/** Who asks, and when: the same in virtual time and in real. */
import type { Ask, Asker } from './asked.ts';

export interface Load {
  /** ms of script: one of these each time, at random; [5, 300] with `between`: evenly from 5 to 300. */
  readonly pages: readonly number[];
  readonly between?: boolean;
  /** Clients of each gateway that ask again as soon as they are answered. */
  readonly clients?: number;
  /** ms that such a client waits before it asks again; default 0.02. */
  readonly think?: number;
  /** Instead: requests of each gateway a second, at random intervals. */
  readonly rate?: number;
  /** Besides: so many requests at once, every so many ms. */
  readonly burst?: { readonly every: number; readonly size: number };
  /** ms after which a client leaves, and the share of the clients that do; default 1: all of them. */
  readonly giveUp?: number;
  readonly leaving?: number;
  /** A share of the requests goes on for so many ms behind its response. */
  readonly tails?: { readonly share: number; readonly ms: number };
  /** One more process that keeps no connection asks every so many ms. */
  readonly visitorEvery?: number;
  readonly ms: number;
}

/** ms that a client waits once it was refused. */
const AFTER_ERROR = 100;

export function drive(
  load: Load,
  random: () => number,
  askers: readonly Asker[],
  visitor: Asker | null,
): void {
  const { clients = 0, think = 0.02, rate = 0, burst, giveUp, leaving = 1, tails, ms } = load;
  const page = (): number => pageOf(load, random);
  const request = (): Ask => ({
    ms: page(),
    ...(giveUp !== undefined && (leaving === 1 || random() < leaving) ? { giveUp } : {}),
    ...(tails !== undefined && random() < tails.share ? { tail: tails.ms } : {}),
  });
  for (const asker of askers) {
    const again = (): void => {
      if (asker.now() >= ms) return;
      const asked = asker.ask(request(), () =>
        asker.at(asker.now() + (asked.error === '' ? think : AFTER_ERROR), again),
      );
    };
    for (let i = 0; i < clients; i++) asker.at(random() * 2, again);
    const arrive = (): void => {
      if (asker.now() >= ms) return;
      asker.ask(request());
      asker.at(asker.now() - (Math.log(1 - random()) * 1000) / rate, arrive);
    };
    if (rate > 0) asker.at(random(), arrive);
    if (burst !== undefined) {
      for (let at = burst.every; at < ms; at += burst.every)
        asker.at(at, () => {
          for (let i = 0; i < burst.size; i++) asker.ask(request());
        });
    }
  }
  if (visitor === null || load.visitorEvery === undefined) return;
  for (let at = Math.min(1_000, ms / 4); at < ms; at += load.visitorEvery)
    visitor.at(at, () => visitor.ask({ ms: page() }));
}

/** ms of one script. */
export function pageOf(
  { pages, between = false }: Pick<Load, 'pages' | 'between'>,
  random: () => number,
): number {
  const [first = 0, last = first] = pages;
  const drawn = between
    ? first + random() * (last - first)
    : (pages[Math.floor(random() * pages.length)] ?? 0);
  // No two runs of a script take exactly as long.
  return drawn * (0.98 + 0.04 * random());
}

/** ms, on the average. */
export function meanPage({
  pages,
  between = false,
  tails,
}: Pick<Load, 'pages' | 'between' | 'tails'>): number {
  const [first = 0, last = first] = pages;
  const mean = between ? (first + last) / 2 : pages.reduce((sum, page) => sum + page, 0) / pages.length;
  return mean + (tails === undefined ? 0 : tails.share * tails.ms);
}

/** The share `part` of the sorted times, ms. */
export function percentile(times: readonly number[], part: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}
