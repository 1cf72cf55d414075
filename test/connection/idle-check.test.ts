import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { IdleCheck, type IdleCheckResult } from '../../src/connection/idle-check.ts';
import { rawServer } from '../pool/support.ts';
import { GET_VALUES_RESULT, pair, record, STDERR, STDOUT } from '../testing/support/wire.ts';
import { openConnection } from './support.ts';

/** What an idle connection is told when it asks a server that does `answer`. `timeout` in ms; it ticks every 5. */
async function asked(
  answer: (socket: Socket, question: Buffer) => void,
  timeout = 5_000,
): Promise<{ reply: IdleCheckResult; closed: boolean; question: Buffer }> {
  let question = Buffer.alloc(0);
  await using server = await rawServer((socket) => {
    socket.on('data', (chunk: Buffer) => {
      question = Buffer.concat([question, chunk]);
      answer(socket, question);
    });
  });
  const { clock, connection } = await openConnection(server);
  const ticks = setInterval(() => connection.onTick(clock.now()), 5);
  const reply = await new Promise<IdleCheckResult>((resolve) => {
    connection.sendGetValues(timeout, resolve);
    expect(connection.idleCheck.isPending).toBe(true);
  });
  clearInterval(ticks);
  expect(connection.idleCheck.isPending).toBe(false);
  const { closed } = connection;
  connection.close('pool-closed');
  return { reply, closed, question };
}

const result = (...pairs: [string, string][]): Buffer =>
  record(GET_VALUES_RESULT, Buffer.concat(pairs.map(([name, value]) => pair(name, value))), 0, 0);

describe('FCGI_GET_VALUES on an idle connection', () => {
  it('asks for the three names of the specification, and hands on what the server says', async () => {
    const { reply, closed, question } = await asked((socket) =>
      socket.write(result(['FCGI_MPXS_CONNS', '0'])),
    );
    expect(reply).toEqual({ values: new Map([['FCGI_MPXS_CONNS', '0']]), closed: null });
    expect(closed).toBe(false);
    const names = ['FCGI_MAX_CONNS', 'FCGI_MAX_REQS', 'FCGI_MPXS_CONNS'];
    expect(question).toEqual(record(9, Buffer.concat(names.map((name) => pair(name, ''))), 0, 0));
  });

  it('is answered without values by a server that does not know the record', async () => {
    const { reply } = await asked((socket) =>
      socket.write(record(11, Buffer.from([9, 0, 0, 0, 0, 0, 0, 0]), 0, 0)),
    );
    expect(reply).toEqual({ values: new Map(), closed: null });
  });

  it.each<[string, (socket: Socket) => unknown, string]>([
    ['the server ends the connection', (socket) => socket.end(), 'server-closed'],
    ['something else comes', (socket) => socket.write(record(STDOUT, 'x')), 'trailing-bytes'],
    [
      'STDERR of a request that never was comes',
      (socket) => socket.write(record(STDERR, 'x')),
      'trailing-bytes',
    ],
    ['bytes come that are no record', (socket) => socket.write('HTTP/1.1 400'), 'trailing-bytes'],
  ])('says how it ended where %s', async (_, answer, reason) => {
    expect(await asked((socket) => void answer(socket))).toMatchObject({
      reply: { values: null, closed: reason },
      closed: true,
    });
  });

  it('gives up in time where nothing comes', async () => {
    expect(await asked(() => {}, 20)).toMatchObject({
      reply: { values: null, closed: 'unanswered' },
      closed: true,
    });
  });
});

describe('what an idle connection waits for', () => {
  /** It has until 1000. */
  function begun(onlyTime: boolean, isLate?: boolean): { check: IdleCheck; results: IdleCheckResult[] } {
    const check = new IdleCheck();
    const results: IdleCheckResult[] = [];
    check.begin(1_000, onlyTime, (result) => results.push(result), isLate);
    return { check, results };
  }
  const outlived: IdleCheckResult = { values: null, closed: null };

  it('an answer is overdue at its time, and then the connection must be closed', () => {
    const { check, results } = begun(false);
    expect([check.isOverdue(999), check.isOverdue(1_000), results]).toEqual([false, true, []]);
    check.close('unanswered');
    expect([check.isPending, results]).toEqual([false, [{ values: null, closed: 'unanswered' }]]);
    expect(check.isOverdue(2_000)).toBe(false);
  });

  it('time has passed by then, and the connection is free', () => {
    const { check, results } = begun(true);
    expect([check.isOverdue(999), results]).toEqual([false, []]);
    expect([check.isOverdue(1_000), check.isPending, results]).toEqual([false, false, [outlived]]);
  });

  it.each([
    [true, [outlived]],
    [false, []],
  ])('a wait for time alone (%s) ends early where another connection has shown it', (onlyTime, expected) => {
    const { check, results } = begun(onlyTime);
    check.endWait();
    expect(results).toEqual(expected);
  });

  it('nothing is overdue, and no wait ended, where it waits for nothing', () => {
    const check = new IdleCheck();
    check.endWait();
    expect([check.isPending, check.isLate, check.isOverdue(2_000)]).toEqual([false, false, false]);
  });

  it('an answer is late where that was known before, or is said meanwhile, for as long as it is waited for', () => {
    const { check } = begun(false);
    expect([check.isLate, begun(false, true).check.isLate]).toEqual([false, true]);
    check.late();
    expect(check.isLate).toBe(true);
    check.close('server-closed');
    expect(check.isLate).toBe(false);
  });
});
