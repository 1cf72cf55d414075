/** CPU and wall time of a piece of work, and medians over turns. */

/** Microseconds for each of `count`: CPU of this whole process, and wall time. */
export interface Cost {
  readonly cpu: number;
  readonly wall: number;
}

export type Work = (count: number) => Promise<void> | void;

export async function cost(work: Work, count: number): Promise<Cost> {
  const cpu = process.cpuUsage();
  const begun = process.hrtime.bigint();
  await work(count);
  const wall = Number(process.hrtime.bigint() - begun) / 1000;
  const used = process.cpuUsage(cpu);
  return { cpu: (used.user + used.system) / count, wall: wall / count };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1] ?? Number.NaN;
  const lower = sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

/** Measures each work `turns` times, in turns (A B A B), after one turn that is not counted; gives medians. */
export async function inTurns<Name extends string>(
  works: Readonly<Record<Name, Work>>,
  count: number,
  turns: number,
): Promise<Record<Name, Cost>> {
  const names = Object.keys(works) as Name[];
  const costs = new Map<Name, Cost[]>(names.map((name) => [name, []]));
  for (let turn = 0; turn <= turns; turn++) {
    for (const name of names) {
      const one = await cost(works[name], count);
      if (turn > 0) costs.get(name)?.push(one);
    }
  }
  const medians = names.map((name): [Name, Cost] => {
    const list = costs.get(name) ?? [];
    return [name, { cpu: median(list.map((one) => one.cpu)), wall: median(list.map((one) => one.wall)) }];
  });
  return Object.fromEntries(medians) as Record<Name, Cost>;
}
