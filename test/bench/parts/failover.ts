/** One server of two misbehaves: what it costs behind our Upstream, behind nginx and behind HAProxy, side by side. */
import { cases } from '../hosts/cases.ts';
import { fronts } from '../hosts/front.ts';
import type { Row } from '../lib/table.ts';

/** What it costs with us stands beside what it costs with the others: numbers that are no ratio. */
export async function failover(isBrief: boolean): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { name, measure } of isBrief ? cases.slice(0, 1) : cases) {
    const said: [string, string][] = [];
    for (const [who, start] of Object.entries(fronts)) said.push([who, await measure(start)]);
    const [[, ours] = ['', ''], ...others] = said;
    const other = others.map(([who, what]) => `${who}: ${what}`).join('; ');
    rows.push({ what: name, ours, other, ratio: Number.NaN });
  }
  return rows;
}
