import { type Bar, plot } from './plot.ts';

/** Rows of the one table: what was measured, against what, and what was hoped for. */
export interface Row {
  readonly what: string;
  readonly ours: string;
  readonly other: string;
  readonly ratio: number;
  /** `most`: the ratio must not be above it; `least`: not below. Neither: for information. */
  readonly most?: number;
  readonly least?: number;
  /** To be seen below the table, too. */
  readonly bar?: Bar;
}

export function print(rows: readonly Row[]): string {
  const lines = rows.map(({ what, ours, other, ratio, most, least }) => {
    const goal = most !== undefined ? `at most ${most}` : least !== undefined ? `at least ${least}` : '';
    const met = most !== undefined ? ratio <= most : least !== undefined ? ratio >= least : null;
    const shown = Number.isFinite(ratio) ? ratio.toFixed(3) : '';
    return `| ${what} | ${ours} | ${other} | ${shown} | ${goal} | ${met === null ? '' : met ? 'yes' : 'no'} |`;
  });
  const table = ['| | ours | against | ratio | goal | met |', '|---|---|---|---|---|---|', ...lines].join(
    '\n',
  );
  const bars = rows.flatMap(({ bar }) => (bar ? [bar] : []));
  return bars.length === 0 ? table : `${table}\n\n${plot(bars)}`;
}
