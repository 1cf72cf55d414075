/** Why nobody can connect is said where that is so of all servers that might have the request. */
import { expect, it } from 'vitest';
import { ConnectError } from '../../../src/errors.ts';
import { refusedBy } from '../../../src/pool/queue/refusal.ts';

const server = (name: string, why: string | null) => ({
  name,
  learned: { refusal: why === null ? null : new ConnectError('FCGI_ERR_CONNECT', why) },
});

const down = server('a', 'a is down');
const alsoDown = server('b', 'b is down');
const up = server('b', null);

it.each([
  ['one that is down', [down], '', 'a is down'],
  ['two that are down: the last that was looked at', [down, alsoDown], '', 'b is down'],
  ['one of two is down: the other one may have it', [down, up], '', null],
  ['the other way round', [up, down], '', null],
  ['the one that was asked for is down', [down, up], 'a', 'a is down'],
  ['another one is down than the one that was asked for', [down, up], 'b', null],
  ['both are, and one was asked for', [down, alsoDown], 'a', 'a is down'],
  ['there is none by the name that was asked for', [down], 'c', null],
  ['none is known yet', [], '', null],
])('%s', (_, servers, wanted, why) => {
  expect(refusedBy(servers, wanted)?.message ?? null).toBe(why);
});
