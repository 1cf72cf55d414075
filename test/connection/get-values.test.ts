import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Clock, systemTimers } from '../../src/connection/clock.ts';
import { type GetValuesResult, getValues } from '../../src/connection/get-values.ts';
import type { Connected } from '../../src/connection/socket/connect.ts';
import { GET_VALUES_RESULT, pair, record } from '../testing/support/wire.ts';

const VALUES = record(GET_VALUES_RESULT, pair('FCGI_MPXS_CONNS', '0'), 0, 0);

/** Two answers have come in one go, and then `then` on the next turn of the event loop. */
async function answeredAndThen(
  then: (socket: EventEmitter, receive: (bytes: Buffer) => void) => void,
): Promise<GetValuesResult['end']> {
  const socket = Object.assign(new EventEmitter(), { write: () => true, destroy: () => {} });
  const incoming = { receive: (_bytes: Buffer, _length: number): void => {} };
  const connected = { socket, incoming, roundTrip: 0, isLocal: true } as unknown as Connected;
  const { signal } = new AbortController();
  const clock = new Clock(systemTimers);
  const result = getValues(connected, { clock, timeout: 0, signal, times: 2, inTurn: false });
  const receive = (bytes: Buffer): void => incoming.receive(bytes, bytes.length);
  receive(Buffer.concat([VALUES, VALUES]));
  setImmediate(() => then(socket, receive));
  return (await result).end;
}

describe('what comes right behind the answer, as after a stall of ours, is seen before a request is sent', () => {
  it('nothing: the connection is free', async () => {
    expect(await answeredAndThen(() => {})).toBe(null);
  });

  it('the end', async () => {
    expect(await answeredAndThen((socket) => socket.emit('end'))).toBe('fin');
  });

  it('a reset', async () => {
    expect(await answeredAndThen((socket) => socket.emit('error', new Error('ECONNRESET')))).toBe('reset');
  });

  it('bytes that nobody has asked for', async () => {
    expect(await answeredAndThen((_, receive) => receive(VALUES))).toBe('nonsense');
  });
});
