/** docs/servers.md says what each server needs: here the servers themselves are asked. */
import { expect, it } from 'vitest';
import { measure, NEEDS } from './support/needs.ts';
import { SERVERS, startServer } from './support/servers.ts';

it.each(SERVERS)('%s does what the table says of it', { timeout: 30_000 }, async (name) => {
  await using server = await startServer(name);
  expect(await measure(server)).toEqual(NEEDS[name]);
});
