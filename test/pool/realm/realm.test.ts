/** Jest loads what it tests in a context of its own, where `Error` and `Uint8Array` are others than Node's. `npm test` has built dist/. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import type { Body } from '../../../src/pool/dispatcher.ts';
import { Pool } from '../../../src/pool/pool.ts';
import { startFakeFpm } from '../../../src/testing/index.ts';
import { HEAD, POST } from '../support.ts';

const inContext = fileURLToPath(new URL('in-context.mjs', import.meta.url));

it('loaded in a context of its own, it knows Node’s errors: a refused connect is tried again, a hint says what is wrong', async () => {
  const args = ['--experimental-vm-modules', '--no-warnings', inContext];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
  expect(JSON.parse(stdout)).toEqual({
    contextIsForeign: true,
    noSocket: {
      message: expect.stringContaining('within 50 ms'),
      hint: expect.stringContaining('is php-fpm running'),
    },
  });
});

const foreign = (text: string): Uint8Array => {
  const bytes: Uint8Array = runInNewContext(`new Uint8Array(${Buffer.byteLength(text)})`);
  bytes.set(Buffer.from(text));
  return bytes;
};

it.each<[string, () => Body]>([
  ['as the body', () => foreign('héllo')],
  [
    'from an iterable',
    async function* () {
      yield foreign('h');
      yield foreign('éllo');
    },
  ],
  [
    'cut within a character, behind a string',
    async function* () {
      yield 'h';
      yield foreign('éllo').subarray(0, 1);
      yield foreign('éllo').subarray(1);
    },
  ],
])('bytes of another context are bytes: %s', async (_, body) => {
  await using fpm = await startFakeFpm({
    script: async (request, response) => {
      await response.stdout(`${HEAD}${request.params['NAME']} ${await request.text()}`);
    },
  });
  await using pool = new Pool(fpm.address);
  const response = await pool.request({ params: { ...POST, NAME: foreign('ü') }, body: body() });
  expect(await response.body.text()).toBe('ü héllo');
});
