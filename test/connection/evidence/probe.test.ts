/** What is found out behind a server's FIN, in virtual time, and by which steps. */
import { describe, expect, it } from 'vitest';
import { Clock } from '../../../src/connection/clock.ts';
import type { Unacknowledged } from '../../../src/connection/evidence/acknowledged.ts';
import type { AfterFin } from '../../../src/connection/evidence/evidence.ts';
import { type Probed, probe } from '../../../src/connection/evidence/probe.ts';
import { encodeStdinTerminator } from '../../../src/protocol/encoder.ts';
import { Loop, VirtualTime } from '../../sim/time.ts';

const REQUEST_ID = 7;
/** Bytes. */
const SOME = 320;
/** ms: what a look is late by at the most. */
const TURN = 1;

interface Server {
  readonly transport?: 'unix' | 'tcp';
  readonly roundTrip?: number;
  readonly isLocal?: boolean;
  /** null: nobody knows. */
  readonly hasResetOrphans?: ((sentAt: number) => boolean) | null;
  readonly sinceSent?: number;
  readonly readBeforeScript?: boolean;
  readonly terminatorSent?: boolean;
  /** What becomes of the nth write, from 0, and how many ms later it is told. */
  readonly writes?: (nth: number) => 'taken' | 'refused';
  readonly toldAfter?: number;
  /** What the kernel says at the nth look, from 0; null: this platform has no such thing. */
  readonly looks?: ((nth: number) => Unacknowledged) | null;
  /** ms until it has said so. */
  readonly lookTakes?: number;
  /** ms after the start: the caller gives up. */
  readonly stopAt?: number;
}

interface Seen {
  readonly results: AfterFin[];
  /** ms after the start, rounded down. */
  readonly writes: number[];
  readonly looks: number[];
  /** When the first result came. */
  resultAt: number;
}

/** Runs for 20 s of virtual time. */
async function probed(server: Server): Promise<Seen> {
  const { transport = 'tcp', roundTrip = 0, hasResetOrphans = () => false, sinceSent = 0 } = server;
  const { writes = () => 'taken' as const, looks = () => SOME } = server;
  const time = new VirtualTime();
  const loop = new Loop();
  const clock = new Clock(time.timersOf(loop));
  clock.start(() => {});
  const seen: Seen = { results: [], writes: [], looks: [], resultAt: -1 };
  const socket = {
    write(bytes: Uint8Array, done: (error?: Error | null) => void): boolean {
      expect(bytes).toEqual(encodeStdinTerminator(REQUEST_ID));
      const what = writes(seen.writes.length);
      seen.writes.push(Math.floor(time.now));
      time.at(time.now + (server.toldAfter ?? 0), () => done(what === 'refused' ? new Error('EPIPE') : null));
      return true;
    },
  } as unknown as Probed['socket'];
  const unacknowledged = async (): Promise<Unacknowledged> => {
    seen.looks.push(Math.floor(time.now));
    const what = looks?.(seen.looks.length - 1) ?? 'unknown';
    const { lookTakes } = server;
    if (lookTakes === undefined) return what;
    return new Promise((resolve) => time.at(time.now + lookTakes, () => resolve(what)));
  };
  const stop = probe(
    {
      ...{ socket, transport, roundTrip, isLocal: server.isLocal ?? true },
      unacknowledged: looks === null ? undefined : unacknowledged,
      hasResetOrphans: hasResetOrphans === null ? undefined : async (sentAt) => hasResetOrphans(sentAt),
    },
    {
      requestId: REQUEST_ID,
      readBeforeScript: server.readBeforeScript ?? false,
      terminatorSent: server.terminatorSent ?? false,
    },
    sinceSent,
    clock,
    (result) => {
      seen.results.push(result);
      seen.resultAt = Math.floor(time.now);
    },
  );
  if (server.stopAt !== undefined) time.at(server.stopAt, stop);
  await time.run(20_000);
  return seen;
}

/** The looks that there are, ms behind the first write. */
const LOOKS = [1, 8, 50, 120, 300, 700, 1_500, 3_000];

describe('on a unix socket', () => {
  it.each([
    ['taken', 'accepted'],
    ['refused', 'refused'],
  ] as const)('one write, and at once: %s is %s', async (write, result) => {
    const seen = await probed({ transport: 'unix', writes: () => write });
    expect(seen).toEqual({ results: [result], writes: [0], looks: [], resultAt: 0 });
  });
});

describe('over tcp', () => {
  it('on this machine the first write is at once, where the kernel tells of its sockets', async () => {
    expect((await probed({ roundTrip: 15 })).writes).toEqual([0]);
  });

  it.each([
    [0, 2],
    [15, 32],
    [400, 802],
    // That was no network: the event loop was busy as it connected.
    [60_000, 2_002],
  ])(
    'to another, or where it does not, the first write is behind a round trip of %i ms: after %i',
    async (roundTrip, at) => {
      for (const server of [{ isLocal: false }, { looks: null }]) {
        const { writes } = await probed({ ...server, roundTrip });
        expect(writes).toHaveLength(1);
        expect(writes[0]).toBeGreaterThanOrEqual(at);
        expect(writes[0]).toBeLessThanOrEqual(at + TURN);
      }
    },
  );

  it('to another machine that has taken all: at once', async () => {
    const seen = await probed({ isLocal: false, roundTrip: 15, looks: () => 0 });
    expect(seen.results).toEqual(['accepted']);
    expect(seen.looks).toHaveLength(2);
    expect(seen.resultAt).toBeLessThan(32);
  });

  it('... and takes nothing more: it died, whatever was refused', async () => {
    const seen = await probed({ isLocal: false, roundTrip: 15, looks: () => 0, writes: () => 'refused' });
    expect(seen.results).toEqual(['refused']);
  });

  it('without an acknowledgement it looks eight times in 3 s, and knows nothing', async () => {
    const { results, writes, looks, resultAt } = await probed({});
    expect(results).toEqual(['not-probed']);
    const [first = 0] = writes;
    expect(looks).toHaveLength(LOOKS.length);
    for (const [nth, after] of LOOKS.entries()) {
      expect(looks[nth]).toBeGreaterThanOrEqual(first + after);
      expect(looks[nth]).toBeLessThanOrEqual(first + after + (nth + 1) * TURN);
    }
    expect(resultAt).toBe(looks.at(-1));
  });

  it.each([0, 3, 7])('acknowledged at look %i: accepted, and it looks no more', async (nth) => {
    const seen = await probed({ looks: (look) => (look === nth ? 0 : SOME) });
    expect(seen.results).toEqual(['accepted']);
    expect(seen.looks).toHaveLength(nth + 1);
    expect(seen.writes).toEqual([seen.writes[0], seen.resultAt]);
  });

  it('acknowledged, but the socket has gone: that was another one, which has got its ports', async () => {
    const seen = await probed({
      looks: () => 0,
      writes: (nth) => (nth === 0 ? 'taken' : 'refused'),
    });
    expect(seen.results).toEqual(['refused']);
    expect(seen.looks).toHaveLength(1);
  });

  it('where this machine does not say: one look, and nothing is known', async () => {
    const seen = await probed({ looks: () => 'unknown' });
    expect(seen.results).toEqual(['not-probed']);
    expect(seen.looks).toHaveLength(1);
  });

  it('where the platform has no such list: nothing is known behind the first write', async () => {
    const { results, writes, resultAt } = await probed({ looks: null });
    expect(results).toEqual(['not-probed']);
    expect(writes).toEqual([resultAt]);
  });

  it('a socket that has gone is written to once more: refused, as the server had died', async () => {
    const seen = await probed({ looks: () => 'gone', writes: (nth) => (nth === 0 ? 'taken' : 'refused') });
    expect(seen.results).toEqual(['refused']);
    expect(seen.looks).toHaveLength(1);
    expect(seen.writes).toEqual([seen.writes[0], seen.looks[0]]);
  });

  it('a socket that has gone and takes the write all the same: it looks on, at the next time of its list', async () => {
    const seen = await probed({ looks: (nth) => (nth === 0 ? 'gone' : nth === 1 ? SOME : 0) });
    expect(seen.results).toEqual(['accepted']);
    expect(seen.writes).toHaveLength(3);
    const [first = 0] = seen.writes;
    expect(seen.looks.map((at, nth) => at - first - (LOOKS[nth] ?? 0))).toEqual([
      expect.closeTo(0, -1),
      expect.closeTo(0, -1),
      expect.closeTo(0, -1),
    ]);
  });

  it.each([
    ['as the request crossed with the FIN', 3, () => false, 'first-refused'],
    ['long after the request', 100, () => false, 'first-refused'],
    ['the same, where the kernel has reset orphans meanwhile', 100, () => true, 'refused'],
    ['at once, where it has', 3, () => true, 'first-refused'],
    ['long after the request, where nobody knows', 100, null, 'refused'],
    ['at once, where nobody knows', 3, null, 'first-refused'],
    // The machine's clock stands at 0 as the FIN comes.
    [
      'long after the request: it is asked since that was sent',
      100,
      (at: number) => at !== -100,
      'first-refused',
    ],
  ] as const)('the very first write is refused %s', async (_, sinceSent, hasResetOrphans, result) => {
    const seen = await probed({ sinceSent, hasResetOrphans, writes: () => 'refused' });
    expect(seen.writes).toHaveLength(1);
    expect(seen.looks).toEqual([]);
    expect(seen.results).toEqual([result]);
  });
});

describe('over tcp, for a request that PHP reads whole before its script', () => {
  const whole = { readBeforeScript: true };

  it.each([
    [false, true, 9],
    [false, true, SOME],
    [true, true, 17],
    // As it looks before it writes anything.
    [false, false, 1],
    [false, false, SOME],
    [true, false, 9],
  ])(
    'terminator sent: %s, on this machine: %s, %i bytes had not come when the server ended its side: crossed',
    async (terminatorSent, isLocal, left) => {
      const seen = await probed({ ...whole, roundTrip: 15, terminatorSent, isLocal, looks: () => left });
      expect(seen.results).toEqual(['crossed']);
      expect(seen.looks).toHaveLength(1);
      expect(seen.resultAt).toBeLessThan(32);
      expect(seen.writes.at(-1)).toBe(seen.resultAt);
    },
  );

  it.each<[string, Partial<Server>, number]>([
    ['the probe', {}, 8],
    ['the probe and the end of input', { terminatorSent: true }, 16],
    ['the end of input, as it looks before it writes', { terminatorSent: true, isLocal: false }, 8],
  ])('what has not been taken is %s: that says nothing', async (_, request, left) => {
    const seen = await probed({ ...whole, ...request, looks: (nth) => (nth < 2 ? left : 0) });
    expect(seen.results).toEqual(['accepted']);
    expect(seen.looks).toHaveLength(3);
  });

  it('a second probe, behind a list without the socket, counts as well', async () => {
    const looks = (nth: number): Unacknowledged => (nth === 0 ? 'gone' : nth === 1 ? 16 : 17);
    const seen = await probed({ ...whole, looks });
    expect(seen.results).toEqual(['crossed']);
    expect(seen.looks).toHaveLength(3);
  });

  it('not all had come, but the socket has been reset since: it may have been another one that was looked at', async () => {
    const reset = { ...whole, looks: () => SOME };
    const local = await probed({ ...reset, writes: (nth) => (nth === 0 ? 'taken' : 'refused') });
    expect(local.results).toEqual(['refused']);
    const remote: Server = { ...reset, isLocal: false, writes: () => 'refused' };
    expect((await probed({ ...remote, sinceSent: 3 })).results).toEqual(['first-refused']);
    const orphans = await probed({ ...remote, sinceSent: 100, hasResetOrphans: () => true });
    expect(orphans.results).toEqual(['refused']);
  });

  it('of one that PHP may begin without its body it proves nothing', async () => {
    for (const isLocal of [true, false]) {
      expect((await probed({ isLocal, readBeforeScript: false })).results).toEqual(['not-probed']);
    }
  });

  it('a list that comes behind the first write is not taken for one from before', async () => {
    const seen = await probed({
      ...whole,
      isLocal: false,
      lookTakes: 10,
      looks: (nth) => (nth === 0 ? 0 : 8),
    });
    expect(seen.writes).toHaveLength(1);
    expect(seen.results).toEqual(['not-probed']);
  });
});

describe('given up', () => {
  it.each<[string, Server]>([
    ['while a unix socket’s write is told of later', { transport: 'unix', toldAfter: 50, stopAt: 20 }],
    ['the same, refused', { transport: 'unix', toldAfter: 50, stopAt: 20, writes: () => 'refused' }],
    ['before the first write', { isLocal: false, roundTrip: 100, stopAt: 20 }],
    ['as it looks what had come', { isLocal: false, lookTakes: 10, stopAt: 1, looks: () => 0 }],
    ['between the write and its end', { toldAfter: 50, stopAt: 20 }],
    ['between two looks', { stopAt: 30, looks: (nth) => (nth < 2 ? SOME : 0) }],
    ['between a look that found it gone and the write', { stopAt: 40, toldAfter: 20, looks: () => 'gone' }],
  ])('%s: nothing is told, and nothing more is done', async (_, server) => {
    const seen = await probed(server);
    expect(seen.results).toEqual([]);
    for (const at of [...seen.writes, ...seen.looks]) expect(at).toBeLessThanOrEqual(server.stopAt ?? 0);
  });
});
