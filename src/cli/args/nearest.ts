/** What was meant by a name that is mistyped. */

/** Null: none of `names` is like it. */
export function nearest(typed: string, names: Iterable<string>): string | null {
  let found: string | null = null;
  // a third of the letters may be wrong, or a short word would be like any other
  let least = Math.floor(typed.length / 3) + 1;
  for (const name of names) {
    const wrong = distance(typed, name);
    if (wrong >= least) continue;
    least = wrong;
    found = name;
  }
  return found;
}

/** Letters to add, to leave out, to change, and neighbours to swap (optimal string alignment). */
function distance(from: string, to: string): number {
  let older: number[] = [];
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const line = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      line[column] = Math.min(
        (above[column] ?? 0) + 1,
        (line[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + (same ? 0 : 1),
        swapped ? (older[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    older = above;
    above = line;
  }
  return above[to.length] ?? 0;
}
