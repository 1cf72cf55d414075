/** A plot of tails: which share of the requests took longer than so many ms, both on a logarithmic scale. */

const WIDTH = 640;
const HEIGHT = 360;
const LEFT = 64;
const BOTTOM = 44;
const TOP = 36;
const RIGHT = 120;
const FROM_MS = 10;
const TO_MS = 10_000;
const LEAST_SHARE = 0.0005;
const COLOURS = ['#1668dc', '#d4380d', '#389e0d', '#8c6d1f'];

const across = (ms: number): number =>
  LEFT + (Math.log10(Math.max(ms, FROM_MS) / FROM_MS) / Math.log10(TO_MS / FROM_MS)) * (WIDTH - LEFT - RIGHT);
const down = (share: number): number =>
  TOP +
  (Math.log10(1 / Math.max(share, LEAST_SHARE)) / Math.log10(1 / LEAST_SHARE)) * (HEIGHT - TOP - BOTTOM);

export function plot(
  title: string,
  lines: readonly (readonly [name: string, times: readonly number[]])[],
): string {
  const parts = lines.flatMap(([name, times], nth) => {
    const colour = COLOURS[nth % COLOURS.length] ?? 'black';
    const sorted = [...times].sort((a, b) => a - b);
    const points = Array.from({ length: 120 }, (_, step) => {
      const share = LEAST_SHARE ** (step / 119);
      const ms = sorted[Math.min(sorted.length - 1, Math.floor((1 - share) * sorted.length))] ?? 0;
      return `${across(ms).toFixed(1)},${down(share).toFixed(1)}`;
    });
    const y = TOP + 14 + 20 * nth;
    return [
      `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${points.join(' ')}"/>`,
      `<text x="${WIDTH - RIGHT + 12}" y="${y}" fill="${colour}">${name}</text>`,
    ];
  });
  const ticks = [10, 100, 1_000, 10_000].map(
    (ms) =>
      `<path stroke="#bbb" d="M${across(ms).toFixed(1)} ${TOP}V${HEIGHT - BOTTOM}"/>` +
      `<text x="${across(ms).toFixed(1)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${ms}</text>`,
  );
  const shares = [1, 0.1, 0.01, 0.001].map(
    (share) =>
      `<path stroke="#bbb" d="M${LEFT} ${down(share).toFixed(1)}H${WIDTH - RIGHT}"/>` +
      `<text x="${LEFT - 8}" y="${(down(share) + 4).toFixed(1)}" text-anchor="end">${100 * share} %</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#444">`,
    `<title>${title}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    `<text x="${LEFT}" y="20" font-size="14">${title}</text>`,
    ...ticks,
    ...shares,
    ...parts,
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">ms; share of the requests that took longer</text>`,
    '</svg>',
    '',
  ].join('\n');
}
