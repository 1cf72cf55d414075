/** A server that refuses a request has not begun it: it is sent again, unless its response had begun. */
import { expect, it } from 'vitest';
import { Pool, Upstream } from '../../src/index.ts';
import { END, record, STDOUT } from '../testing/support/wire.ts';
import { answer, ended, GET, HEAD, POST, type RawServer, Recorder, rawServer } from './support.ts';

const status = (protocolStatus: number): Buffer =>
  record(END, Buffer.from([0, 0, 0, 0, protocolStatus, 0, 0, 0]));

/** Says `first` to the first `times` requests, and answers all others. */
function refusing(first: Buffer, times: number): Promise<RawServer> {
  return rawServer((socket, nth) => {
    socket.once('data', () => socket.write(nth <= times ? first : answer()));
  });
}

it.each([
  ['CANT_MPX_CONN', 1],
  ['OVERLOADED', 2],
  ['UNKNOWN_ROLE', 3],
])('%s before any output: sent again, whatever the method', async (_, protocolStatus) => {
  await using server = await refusing(status(protocolStatus), 2);
  await using pool = new Pool(server.address);
  expect(await ended(pool, { params: POST, body: 'a=1' })).toMatchObject({ attempts: 3 });
});

it('a server that refuses for ever costs the tries of the request, and says that it did not run', async () => {
  await using server = await refusing(status(2), Number.POSITIVE_INFINITY);
  await using pool = new Pool(server.address, { tries: 3 });
  await expect(pool.request({ params: POST, body: 'a=1' })).rejects.toMatchObject({
    code: 'FCGI_ERR_OVERLOADED',
    executed: 'no',
    attempts: 3,
  });
});

it('behind a head it is an error, and no other server is asked for a second head', async () => {
  const begun = Buffer.concat([record(STDOUT, `${HEAD}half`), status(2)]);
  await using one = await refusing(begun, Number.POSITIVE_INFINITY);
  await using other = await refusing(begun, Number.POSITIVE_INFINITY);
  await using pool = new Upstream([one.address, other.address], { retry: 'always' });
  const seen = new Recorder();
  pool.dispatch({ params: GET }, seen);
  expect(await seen.over).toMatchObject({ code: 'FCGI_ERR_OVERLOADED', executed: 'yes' });
  expect(seen.events.filter((event) => event.startsWith('start'))).toHaveLength(1);
  expect(one.sockets.length + other.sockets.length).toBe(1);
});

it('behind output that is no head yet it may have run', async () => {
  await using server = await refusing(Buffer.concat([record(STDOUT, 'Content-'), status(2)]), 9);
  await using pool = new Pool(server.address);
  await expect(pool.request({ params: POST, body: 'a=1' })).rejects.toMatchObject({
    code: 'FCGI_ERR_OVERLOADED',
    executed: 'unknown',
    attempts: 1,
  });
});
