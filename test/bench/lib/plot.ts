/** Bars of text: they are seen in a terminal and in a README alike. */
export type Bar = readonly [label: string, value: number];

const WIDTH = 48;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** The longest bar is the largest value. */
export function plot(bars: readonly Bar[]): string {
  const most = Math.max(...bars.map(([, value]) => value));
  const margin = Math.max(...bars.map(([label]) => label.length));
  return bars
    .map(([label, value]) => {
      const eighths = Math.max(1, Math.round((value / most) * WIDTH * 8));
      const bar = '█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7];
      return `${label.padEnd(margin)}  ${bar} ${value.toFixed(1)}`;
    })
    .join('\n');
}
