/** Three hosts, and what befalls them under load: what it costs behind our Upstream, behind nginx and behind HAProxy. */
import { contenders } from '../hosts/contenders.ts';
import { type Event, events } from '../hosts/events.ts';
import { run, type Seen } from '../hosts/run.ts';
import type { Row } from '../lib/table.ts';

export async function hosts(isBrief: boolean): Promise<Row[]> {
  const rows: Row[] = [];
  for (const event of isBrief ? events.slice(2, 3) : events) {
    for (const [name, start] of Object.entries(contenders).slice(0, isBrief ? 1 : undefined)) {
      const seen = await run(event, start);
      const what = `${event.name}: ${name}`;
      if (seen === null) rows.push({ what, ours: '', other: 'needs root', ratio: Number.NaN });
      else rows.push(row(what, seen, event, name));
    }
  }
  return rows;
}

function row(what: string, seen: Seen, { isHarmless }: Event, who: string): Row {
  const { sent, failed, failedUnrun, failedUnexecuted, lost, wrong, twice, p99, slowest, waited } = seen;
  const reasons = [...seen.reasons].map(([reason, count]) => `${count} ${reason}`).join(', ');
  return {
    what,
    ours: `${failed} failed, ${failedUnrun} of them never ran; ${twice} ran twice; ${waited} waited for a timeout`,
    other: `of ${sent}; p99 ${p99.toFixed(0)} ms, at most ${slowest.toFixed(0)} ms${reasons === '' ? '' : `; ${reasons}`}`,
    // What must not be: twice, or failed though it was known that it had not run; of a harmless event, failed at all.
    ratio: twice + lost + wrong + (isHarmless && who === 'fastcgi-pool' ? failed : failedUnexecuted),
    ...(who.startsWith('fastcgi-pool') ? { most: 0 } : {}),
  };
}
