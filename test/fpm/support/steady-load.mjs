// A process that asks a page again and again, and says at the end what became of it: its event loop can be stopped from outside.
// usage: steady-load.mjs ADDRESS PARAMS-JSON OPTIONS-JSON CLIENTS MS
import { Pool } from '../../../dist/index.js';

const [address, params, options, clients, ms] = process.argv.slice(2);
const pool = new Pool(address, JSON.parse(options));
const request = { params: JSON.parse(params) };
const failures = [];
let answered = 0;
const until = performance.now() + Number(ms);

async function client() {
  while (performance.now() < until) {
    try {
      const { body } = await pool.request(request);
      await body.text();
      if (++answered === 100) console.log('under way');
    } catch (error) {
      failures.push(`${error.code}: ${error.message}`);
    }
  }
}

/** Requests that go out on a kept connection, of a hundred one after the other. */
async function kept() {
  let reused = 0;
  for (let i = 0; i < 100; i++) {
    const { body, ended } = await pool.request(request);
    await body.text();
    if ((await ended).reused) reused++;
  }
  return reused;
}

await Promise.all(Array.from({ length: Number(clients) }, client));
const { workers } = pool.stats;
console.log(JSON.stringify({ answered, failures, workers, kept: await kept() }));
await pool.close();
