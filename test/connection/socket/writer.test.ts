import { expect, it } from 'vitest';
import { Exchange } from '../../../src/connection/exchange.ts';
import { Activity } from '../../../src/connection/socket/activity.ts';
import type { ConnectionSocket } from '../../../src/connection/socket/socket.ts';
import { SocketWriter } from '../../../src/connection/socket/writer.ts';
import { nobody } from '../support.ts';

/** A request that was sent at 1000, and is silent; by 1075 the empty STDIN record is due. `finish`: all that has come is read. */
function due(): {
  readonly exchange: Exchange;
  readonly written: Uint8Array[];
  readonly state: { takes: boolean };
  ask(): void;
  finish(): void;
} {
  const written: Uint8Array[] = [];
  const socket: ConnectionSocket = {
    destroyed: false,
    errored: null,
    writableLength: 0,
    writableNeedDrain: false,
    bytesWritten: 0,
    write: (bytes) => written.push(bytes) > 0,
    cork() {},
    uncork() {},
    pause() {},
    resume() {},
    isPaused: () => false,
    destroy() {},
    ref() {},
    unref() {},
    on() {},
  };
  const writer = new SocketWriter(socket, new Activity(1_000));
  const exchange = new Exchange(nobody, 1, true, true, 0, 0);
  exchange.begin(0, null, 1_000, 1_000, '');
  const state = { takes: true };
  const waiting: (() => void)[] = [];
  const clock = { now: () => 1_075, afterIo: (callback: () => void) => void waiting.push(callback) };
  return {
    exchange,
    written,
    state,
    ask: () => writer.terminate(exchange, clock, { takes: (one) => one === exchange && state.takes }),
    finish: () => {
      for (const callback of waiting.splice(0)) callback();
    },
  };
}

it('the empty STDIN record goes out once what has come by then is read', () => {
  const { exchange, written, ask, finish } = due();
  ask();
  expect([written.length, exchange.terminatorSent]).toEqual([0, false]);
  finish();
  // Version 1, FCGI_STDIN, request 1, no content (FastCGI specification, 3.3).
  expect(written.map((bytes) => [...bytes])).toEqual([[1, 5, 0, 1, 0, 0, 0, 0]]);
  expect(exchange.terminatorAfter).toBe(75);
});

it('and once only, however late that is', () => {
  const { written, ask, finish } = due();
  ask();
  ask();
  finish();
  expect(written).toHaveLength(1);
});

it('but not where more of the response has come meanwhile: a write to a worker that is gone would lose the rest', () => {
  const { exchange, written, ask, finish } = due();
  exchange.bytesReceived = 10;
  ask();
  exchange.bytesReceived = 11;
  finish();
  expect([written.length, exchange.terminatorSent]).toEqual([0, false]);
  ask();
  finish();
  expect(written).toHaveLength(1);
});

it('nor where the exchange is over, or its server has closed', () => {
  const { written, state, ask, finish } = due();
  ask();
  state.takes = false;
  finish();
  expect(written).toEqual([]);
});
