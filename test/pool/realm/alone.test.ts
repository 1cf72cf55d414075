/** A process that has nothing to do but to wait for its requests: Node ends it as soon as nothing holds it. `npm test` has built dist/. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const DIST = new URL('../../../dist/index.js', import.meta.url).href;

/** What it prints; rejects where it ends before the program does. */
async function run(program: string): Promise<unknown> {
  const source = `import { Pool, Upstream } from ${JSON.stringify(DIST)};\n${program}`;
  const args = ['--input-type=module', '--eval', source];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 30_000 });
  return JSON.parse(stdout);
}

const GONE = "'unix:/nonexistent/alone.sock'";
const ASK = `const code = await pool
  .request({ params: { REQUEST_METHOD: 'GET', SCRIPT_FILENAME: '/a.php' } })
  .then(() => '', (error) => error.code);
console.log(JSON.stringify(code));`;

it.each([
  ['a Pool', `new Pool(${GONE}, { connectTimeout: 300 })`, 'FCGI_ERR_CONNECT_TIMEOUT'],
  ['an Upstream of one', `new Upstream([${GONE}], { connectTimeout: 300 })`, 'FCGI_ERR_NO_LIVE_UPSTREAM'],
  [
    'an Upstream of two',
    `new Upstream([${GONE}, '127.0.0.1:2'], { connectTimeout: 300 })`,
    'FCGI_ERR_NO_LIVE_UPSTREAM',
  ],
])('hears of %s that nobody can be connected, and ends by itself then', async (_, pool, code) => {
  expect(await run(`const pool = ${pool};\n${ASK}`)).toBe(code);
});
