/**
 * One gateway among several, a process of its own: ADDRESS PARAMS OPTIONS MS KIND SEED. It says 'ready', works for so many
 * ms, and says what came of it. 'busy': 16 clients that never pause. 'quiet': a burst, then 6 requests a second. A number:
 * so many requests a second, by chance, and by the same one for the same seed.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from '../../../src/index.ts';
import { randomFrom } from '../../sim/time.ts';

const [address = '', params = '{}', options = '{}', ms = '1000', kind = 'busy', seed = '1'] =
  process.argv.slice(2);
const pool = new Pool(address, JSON.parse(options));
const begun = performance.now();
const until = begun + Number(ms);
/** ms, of those that came once the first fifth of the time was over: until then the process compiles its code. */
const times: number[] = [];
let served = 0;
let failed = 0;

async function ask(): Promise<void> {
  const askedAt = performance.now();
  try {
    const response = await pool.request({ params: JSON.parse(params) });
    await response.body.text();
    served++;
    if (askedAt > begun + Number(ms) / 5) times.push(performance.now() - askedAt);
  } catch {
    failed++;
  }
}

async function busyClient(): Promise<void> {
  while (performance.now() < until) await ask();
}

process.on('disconnect', () => process.exit());
process.send?.('ready');
const all: Promise<void>[] = [];
if (kind === 'busy') {
  for (let i = 0; i < 16; i++) all.push(busyClient());
} else if (kind === 'quiet') {
  for (let i = 0; i < 8; i++) all.push(ask());
  for (; performance.now() < until; await delay(1000 / 6)) all.push(ask());
} else {
  const random = randomFrom(Number(seed));
  let next = begun;
  while (next < until) {
    while (next <= performance.now()) {
      all.push(ask());
      next += (-1000 * Math.log(1 - random())) / Number(kind);
    }
    await delay(next - performance.now());
  }
}
await Promise.all(all);
process.send?.({ served, failed, times });
