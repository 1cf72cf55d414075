/** How long a new connection is asked for its worker, how often, and what is learned of each end of that: by a clock of its own. */
import { EventEmitter } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { Clock } from '../../../src/connection/clock.ts';
import { parseAddress } from '../../../src/connection/socket/address.ts';
import type { Connected } from '../../../src/connection/socket/connect.ts';
import { AcceptCheck } from '../../../src/pool/learned/accept-check.ts';
import { BackendKind } from '../../../src/pool/learned/backend-kind.ts';
import { type AcceptOptions, accepted } from '../../../src/pool/slots/accepted.ts';
import { Loop, VirtualTime } from '../../sim/time.ts';
import { VALUES } from './support.ts';

/** What the server does when it is asked: it answers so many ms later, or closes, or nothing at all. */
type Server = number | 'end' | 'error' | 'silence';

function known(): BackendKind {
  const backend = new BackendKind({ backend: 'auto', proxied: false });
  backend.onValues(new Map([['FCGI_MPXS_CONNS', '0']]));
  return backend;
}

/** ms, as it begins. */
const BEGUN = 1_000;

/** It is said to be PHP-FPM, and has never answered. */
const told = (): BackendKind => new BackendKind({ backend: 'php-fpm', proxied: false });

interface Outcome {
  /** When it was dialled, ms from the beginning. */
  readonly dials: number[];
  readonly check: AcceptCheck;
  readonly connected: Connected | null;
  readonly error: unknown;
  /** A client who has left was learned of so often. */
  readonly left: number;
}

async function ask(
  server: Server,
  change: Partial<AcceptOptions> & { backend?: BackendKind },
): Promise<Outcome> {
  const time = new VirtualTime();
  await time.run(BEGUN);
  const loop = new Loop();
  const clock = new Clock(time.timersOf(loop));
  const dials: number[] = [];
  const check = new AcceptCheck();
  check.staysOpen = true;
  const onLeft = vi.spyOn(check, 'onLeft');
  const connect = async (): Promise<Connected> => {
    dials.push(time.now - BEGUN);
    const incoming = { receive: (_bytes: Buffer, _length: number): void => {} };
    const write = (): void => {
      if (server === 'silence') return;
      const both = Buffer.concat([VALUES, VALUES]);
      if (typeof server === 'number')
        time.arrive(time.now + server, () => incoming.receive(both, both.length), loop);
      else time.arrive(time.now, () => socket.emit(server, new Error('ECONNRESET')), loop);
    };
    const socket = Object.assign(new EventEmitter(), { write, destroy: () => {} });
    return { socket, incoming, roundTrip: null, isLocal: true, endpoint: '' } as unknown as Connected;
  };
  const { backend = known(), ...rest } = change;
  const outcome = { connected: null as Connected | null, error: null as unknown };
  const ended = accepted(connect, {
    target: parseAddress('127.0.0.1:9000'),
    clock,
    random: () => 0.5,
    signal: new AbortController().signal,
    acceptCheck: check,
    backendAt: () => backend,
    isProvable: false,
    connectTimeout: 0,
    headersTimeout: 0,
    retryRefused: true,
    isOneMore: () => false,
    isPassed: () => false,
    isRetired: () => false,
    onAsked: () => {},
    onAccepted: () => {},
    onClosed: () => {},
    ...rest,
  }).then(
    (connected) => Object.assign(outcome, { connected }),
    (error: unknown) => Object.assign(outcome, { error }),
  );
  // So that it is dialled before it is seen whether anything is left to happen.
  time.at(BEGUN, () => {});
  await time.run(100_000);
  await ended;
  return { ...outcome, dials, check, left: onLeft.mock.calls.length };
}

it('a worker that comes after a minute has the connection, where the request may wait so long', async () => {
  const connecting: number[] = [];
  const onAccepted = (took: number): unknown => connecting.push(took);
  const { connected, dials } = await ask(60_000, { onAccepted });
  expect([connected?.isAccepted, dials, connecting]).toEqual([true, [0], [0]]);
});

it('where connections are closed it is dialled again behind longer and longer pauses, for connectTimeout', async () => {
  const { dials, error } = await ask('end', { connectTimeout: 1_000 });
  expect(dials).toEqual([0, 5, 15, 35, 75, 155, 315, 565, 815]);
  expect(error).toMatchObject({ code: 'FCGI_ERR_CONNECT_TIMEOUT', executed: 'no' });
});

it.each<[Server, string]>([
  ['end', 'FCGI_ERR_SOCKET_CLOSED'],
  ['error', 'FCGI_ERR_SOCKET_RESET'],
])('how it was closed is the cause: %s', async (server, code) => {
  const { error } = await ask(server, {});
  expect(error).toMatchObject({ code: 'FCGI_ERR_CONNECT', executed: 'no', cause: { code } });
});

describe('a server that is said to be PHP-FPM, and says nothing, is asked twice for 3 s, then no more', () => {
  it.each([
    [0, [0, 3_000, 6_000]],
    // No longer than the request may wait in all.
    [5_000, [0, 3_000, 5_000]],
    [1_000, [0, 1_000, 1_001]],
  ])('headersTimeout %i: dialled at %j', async (headersTimeout, expected) => {
    const { dials, connected } = await ask('silence', { backend: told(), headersTimeout });
    expect(dials).toEqual(expected);
    expect(connected?.isAccepted).toBe(undefined);
  });

  it('and not only because one more is open than workers have been seen', async () => {
    const oneMore = { isProvable: true, isOneMore: () => true };
    const unasked = await ask('silence', { ...oneMore, backend: told() });
    expect([unasked.dials, unasked.connected?.isAccepted]).toEqual([[0], undefined]);
    const backend = known();
    backend.onDetected({ values: new Map([['FCGI_MPXS_CONNS', '0']]), isDirect: true, answeredAfter: 0 }, 0);
    const asked = await ask(0, { ...oneMore, backend });
    expect(asked.connected?.isAccepted).toBe(true);
  });
});

describe('that connections stay open behind an answer is believed', () => {
  it('until the server closes one', async () => {
    const { check, left } = await ask('end', {});
    expect([check.staysOpen, left]).toEqual([false, 0]);
  });

  it('although it was given up, as others passed it: its server hangs', async () => {
    let isPassed = true;
    const { check, left, dials } = await ask(2_000, {
      isPassed: () => isPassed,
      onClosed: () => {
        isPassed = false;
      },
    });
    expect([check.staysOpen, left, dials]).toEqual([true, 0, [0, 250]]);
  });

  it('although its client has left; that is learned', async () => {
    const leaving = new AbortController();
    const onAsked = (): void => leaving.abort(new Error('left'));
    const { check, left, error } = await ask('silence', { signal: leaving.signal, onAsked });
    expect([check.staysOpen, left, error]).toEqual([true, 1, leaving.signal.reason]);
  });
});
