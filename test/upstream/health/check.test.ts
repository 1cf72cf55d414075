import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { systemRuntime } from '../../../src/connection/runtime.ts';
import { parseAddress } from '../../../src/connection/socket/address.ts';
import { resolveOptions } from '../../../src/pool/options.ts';
import { type FakeScript, startFakeFpm } from '../../../src/testing/index.ts';
import { check } from '../../../src/upstream/health/check.ts';
import { GET, HEAD } from '../../pool/support.ts';

const TIMEOUT = 200;

async function isWell(script: FakeScript): Promise<boolean> {
  await using fpm = await startFakeFpm({ script });
  return await check(
    parseAddress(fpm.address),
    { params: GET, timeout: TIMEOUT, interval: 1_000 },
    resolveOptions({}),
    systemRuntime,
  );
}

it.each([
  ['a page', 200, true],
  ['one that has moved', 302, true],
  ['no page', 404, false],
  ['an error', 503, false],
])('%s: %i', async (_, status, well) => {
  expect(await isWell((_request, response) => response.stdout(`Status: ${status}\r\n\r\n`))).toBe(well);
});

it('an answer that is not there in time, however much of it: a page that goes on for ever would hold a worker for ever', async () => {
  let isOver = false;
  const drips: FakeScript = async (_, response) => {
    await response.stdout(HEAD);
    while (!isOver) {
      await response.stdout('.');
      await setTimeout(TIMEOUT / 10);
    }
  };
  const well = await isWell(drips).finally(() => {
    isOver = true;
  });
  expect(well).toBe(false);
});
