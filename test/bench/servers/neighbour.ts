/**
 * One gateway among several, a process of its own: ADDRESS PARAMS OPTIONS MS KIND. It says 'ready', works for so many
 * ms, and says what came of it. 'busy': 16 clients that never pause. 'quiet': a burst, then 6 requests a second.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from '../../../src/index.ts';

const [address = '', params = '{}', options = '{}', ms = '1000', kind = 'busy'] = process.argv.slice(2);
const pool = new Pool(address, JSON.parse(options));
const until = performance.now() + Number(ms);
let served = 0;
let failed = 0;

async function ask(): Promise<void> {
  try {
    const response = await pool.request({ params: JSON.parse(params) });
    await response.body.text();
    served++;
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
} else {
  for (let i = 0; i < 8; i++) all.push(ask());
  for (; performance.now() < until; await delay(1000 / 6)) all.push(ask());
}
await Promise.all(all);
process.send?.({ served, failed });
