/** PHP-FPM's status, as JSON, to a table of two columns, and one more table where there are processes. */
import { printable, widthOf } from './text.ts';

type Facts = Readonly<Record<string, unknown>>;

/** Columns for each process: PHP-FPM's name and ours. Its full names would not fit a terminal. */
const columns: ReadonlyArray<readonly [name: string, title: string]> = [
  ['pid', 'pid'],
  ['state', 'state'],
  ['requests', 'requests'],
  ['start since', 'age'],
  ['request duration', 'us'],
  ['last request memory', 'memory'],
  ['request method', 'method'],
  ['request uri', 'uri'],
];

export function statusTable(facts: Facts): string {
  const { processes, ...pool } = facts;
  const rows = Object.entries(pool).map(([name, value]) => [name, shown(name, value)]);
  const table = aligned(rows);
  if (!Array.isArray(processes)) return table;
  const lines = processes.map((one: unknown) => columns.map(([name]) => shown(name, memberOf(one, name))));
  return `${table}\n${aligned([columns.map(([, title]) => title), ...lines])}`;
}

function memberOf(one: unknown, name: string): unknown {
  return typeof one === 'object' && one !== null ? Reflect.get(one, name) : undefined;
}

/** PHP-FPM gives times as Unix seconds. What a client chose (the URI) must not steer the terminal. */
function shown(name: string, value: unknown): string {
  if (name === 'start time' && typeof value === 'number') return new Date(value * 1000).toISOString();
  if (name.endsWith(' since') && typeof value === 'number') return `${value} s`;
  return printable(typeof value === 'string' ? value : String(value ?? '-'));
}

/** Columns as wide as their widest cell. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
    });
  }
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
