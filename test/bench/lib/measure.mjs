// CPU time and wall time of a piece of work, and medians over turns.

/** Runs `work(count)` and gives microseconds of this process's CPU, and of wall time, for each of `count`. */
export async function cost(work, count) {
  const cpu = process.cpuUsage();
  const begun = process.hrtime.bigint();
  await work(count);
  const wall = Number(process.hrtime.bigint() - begun) / 1000;
  const used = process.cpuUsage(cpu);
  return { cpu: (used.user + used.system) / count, wall: wall / count };
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Measures each of `works` ({ name: work }) `turns` times, in turns (A B A B), after one turn that is not counted. */
export async function inTurns(works, count, turns) {
  const results = Object.fromEntries(Object.keys(works).map((name) => [name, []]));
  for (let turn = 0; turn <= turns; turn++) {
    for (const [name, work] of Object.entries(works)) {
      const result = await cost(work, count);
      if (turn > 0) results[name].push(result);
    }
  }
  return Object.fromEntries(
    Object.entries(results).map(([name, list]) => [
      name,
      { cpu: median(list.map((one) => one.cpu)), wall: median(list.map((one) => one.wall)) },
    ]),
  );
}
