/** What an attempt has left in the dark stays there, whatever becomes of the ones behind it. */
import type { FcgiError } from '../../errors.ts';

const EARLIER = 'An attempt before this one may have run';

/** `attempts`: how many there were. */
export function keepInDoubt(seen: FcgiError, attempts: number): void {
  if (seen.executed !== 'no') return;
  const hint = attempts < 2 ? seen.hint : seen.hint === '' ? EARLIER : `${seen.hint}. ${EARLIER}`;
  seen.learn({ executed: 'unknown', hint });
}
