/** Was the promise kept? */
import type { Result } from './run.ts';

/** A line for each breach; none: all is well. */
export function breaches({ row, tally, blows }: Result): string[] {
  const { failures, specials, p99 } = row.promised;
  const found: string[] = [];
  const none = (count: number, what: string): void => {
    if (count > 0) found.push(`${count} ${what}`);
  };
  none(tally.twice, 'ran more than once');
  none(tally.lost, 'were answered and never ran');
  none(tally.wrong, 'got an answer that is not theirs');
  none(tally.lies, 'ran, though they were said not to have');
  none(tally.failedUnexecuted, 'failed, though they had provably not run');
  if (failures === 'none') none(tally.failed, 'failed');
  else if (failures === 'unknown') none(tally.failedKnown, 'failed, though it is known what became of them');
  else if (tally.failed > failures.begunPerBlow * blows) {
    found.push(
      `${tally.failed} failed, of which ${blows} blows explain ${failures.begunPerBlow * blows} at most`,
    );
  }
  if (row.weather !== undefined && blows === 0)
    found.push('the weather was fair: there was nothing to prove');
  if (specials !== undefined) {
    if (tally.special === 0) found.push('no special request was sent: there was nothing to prove');
    none(tally.special - tally.specialOnce, 'special ones did not run exactly once');
    const failed = specials === 'failed' ? tally.special : 0;
    none(Math.abs(tally.specialFailed - failed), `special ones were not ${specials}`);
  }
  if (p99 !== undefined && tally.p99 >= p99)
    found.push(`p99 is ${tally.p99.toFixed(0)} ms, not below ${p99} ms`);
  if (tally.answered === 0) found.push('nothing was answered');
  return found;
}
