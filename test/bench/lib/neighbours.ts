/** Several gateways on one php-fpm, a process each: servers/neighbour.ts. */
import { once } from 'node:events';
import { startChild } from './child.ts';

/** What came of one of them. */
export interface Worked {
  readonly served: number;
  readonly failed: number;
  /** ms, see there. */
  readonly times: readonly number[];
}

/** They begin at once. `argsOf` tells the arguments of each; `meanwhile` is run beside them, and what it returns comes with what came of them. */
export async function besideNeighbours<Seen>(
  bundle: URL,
  count: number,
  argsOf: (nth: number) => readonly string[],
  meanwhile: () => Promise<Seen>,
): Promise<{ worked: Worked[]; seen: Seen }> {
  const children = await Promise.all(
    Array.from({ length: count }, (_, nth) => startChild(bundle, 'neighbour', argsOf(nth))),
  );
  const results = children.map(async ({ process: child }): Promise<Worked> => {
    const [result] = await once(child, 'message');
    return result;
  });
  const seen = await meanwhile();
  const worked = await Promise.all(results);
  await Promise.all(children.map((child) => child.stop()));
  return { worked, seen };
}
