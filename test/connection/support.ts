/** A connection as a pool makes it, to a server of the test's own. */
import dns, { type LookupAddress } from 'node:dns';
import { connect, type Socket } from 'node:net';
import { type MockInstance, vi } from 'vitest';
import { headNames } from '../../src/cgi/head.ts';
import { Clock, systemTimers } from '../../src/connection/clock.ts';
import { Connection } from '../../src/connection/connection.ts';
import type { ExchangeListener } from '../../src/connection/exchange.ts';
import type { ConnectionOwner } from '../../src/connection/owner.ts';
import { ReadBuffer } from '../../src/connection/socket/read-buffer.ts';
import type { RawServer } from '../pool/support.ts';

/** Whom an exchange tells where a test does not listen. */
export const nobody: ExchangeListener = {
  onHead() {},
  onData() {},
  onStderr() {},
  onPart() {},
  onComplete() {},
  onFailed() {},
};

type Looked = (error: Error | null, addresses: readonly LookupAddress[]) => void;

/** Every name leads to what `answer` says, until it is restored. */
export function lookupMock(answer: () => Error | readonly LookupAddress[]): MockInstance {
  const lookup = (_name: string, _options: object, done: Looked): void => {
    const answered = answer();
    const error = answered instanceof Error ? answered : null;
    process.nextTick(done, error, answered instanceof Error ? [] : answered);
  };
  return vi.spyOn(dns, 'lookup').mockImplementation(lookup as never);
}

export interface Opened {
  readonly clock: Clock;
  readonly socket: Socket;
  readonly connection: Connection;
}

export async function openConnection(server: RawServer): Promise<Opened> {
  const clock = new Clock(systemTimers);
  const owner: ConnectionOwner = {
    clock,
    settings: { maxHeaderSize: 65_536 },
    headNames: headNames(),
    learned: {
      backendAt: (endpoint) => ({
        endpoint,
        isPhpFpm: null,
        isDirect: null,
        onHalfClosed() {},
        onIdsMixed() {},
        onStreams() {},
      }),
      bodyReading: { isChanged: false, isDoubted: () => false },
      terminatorDelay: () => 50,
      firstByte: () => 0,
      keepaliveTimes: { isIdleTimeOver: () => false, isLeaseOver: () => false, answered: () => {} },
      isQueryDue: false,
      mustYield: () => false,
    },
    closing: false,
    idleFull: () => false,
  };
  const incoming = new ReadBuffer().open();
  const { onread } = incoming;
  const socket = connect({ path: server.address.slice('unix:'.length), allowHalfOpen: true, onread });
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  const connection = new Connection(
    owner,
    { socket, incoming, roundTrip: 0, isLocal: true },
    {
      transport: 'unix',
      keepaliveRequests: 10,
      isPoolClosing: () => false,

      onClosed() {},
    },
  );
  return { clock, socket, connection };
}
