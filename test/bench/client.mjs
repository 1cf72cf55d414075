// What a request costs the client: the floor, dispatch(), request() and body.text(), on a responder that does nothing.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from '../../dist/index.js';
import { clientFloor } from './lib/floor.mjs';
import { inTurns } from './lib/measure.mjs';
import { cannedAnswer, cannedRequest, typicalParams } from './lib/records.mjs';

const CONNECTIONS = 8;

/** Keeps `lanes` requests going until `count` are done. */
function loop(count, lanes, one) {
  return new Promise((resolve, reject) => {
    let begun = 0;
    let done = 0;
    const next = () => {
      done++;
      if (done === count) resolve();
      else if (begun < count) {
        begun++;
        one(next, reject);
      }
    };
    for (let lane = 0; lane < lanes && begun < count; lane++) {
      begun++;
      one(next, reject);
    }
  });
}

export function dispatching(pool, params, lanes) {
  return (count) =>
    loop(count, lanes, (next, fail) => {
      pool.dispatch(
        { params },
        { onResponseStart() {}, onResponseData() {}, onResponseEnd: next, onResponseError: (_, error) => fail(error) },
      );
    });
}

export function requesting(pool, params, lanes) {
  return async (count) => {
    let begun = 0;
    const lane = async () => {
      while (begun < count) {
        begun++;
        const response = await pool.request({ params });
        await response.body.text();
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  };
}

export async function benchClient({ count = 40_000, turns = 5 } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'fastcgi-pool-bench-'));
  const path = join(folder, 'responder.sock');
  const child = fork(new URL('./lib/responder.mjs', import.meta.url), [path], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  try {
    await once(child.stdout, 'data');
    const params = typicalParams('/srv/app/public/hello.php');
    const answer = cannedAnswer('X-Powered-By: PHP/8.2.29\r\nContent-type: text/html; charset=UTF-8\r\n\r\nhello');
    const floor = await clientFloor(path, cannedRequest(params), answer.length, CONNECTIONS);
    const pool = new Pool(`unix:${path}`, { connections: CONNECTIONS, keepaliveRequests: 0, keepaliveTimeout: 0 });
    const results = await inTurns(
      {
        floor: floor.run,
        dispatch: dispatching(pool, params, CONNECTIONS),
        request: requesting(pool, params, CONNECTIONS),
      },
      count,
      turns,
    );
    floor.close();
    await pool.close();
    return results;
  } finally {
    child.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const results = await benchClient();
  for (const [name, { cpu, wall }] of Object.entries(results)) {
    console.log(
      `${name.padEnd(10)} ${cpu.toFixed(2)} us CPU  ${wall.toFixed(2)} us wall  ${(cpu / results.floor.cpu).toFixed(2)} x floor`,
    );
  }
}
