/** One of two servers dies under each request, in whatever way: it is asked twice at the most, and then left alone. */
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Upstream } from '../../src/index.ts';
import { HEAD, rawServer } from '../pool/support.ts';
import { END as END_REQUEST, record, STDOUT } from '../testing/support/wire.ts';
import { answering, askInTurn, countOf, stateOf } from './support.ts';

const HALF_A_HEAD = record(STDOUT, 'Content-type: te');
const ENDED = record(END_REQUEST, Buffer.alloc(8));

const atOnce = (die: (socket: Socket) => void) => die;
const onData = (die: (socket: Socket) => void) => (socket: Socket) => socket.once('data', () => die(socket));

/** Nothing of an answer was seen: it may be sent to the other one, where it does no harm to run it twice. */
const unanswered: Readonly<Record<string, (socket: Socket) => void>> = {
  'ends each connection at once': atOnce((socket) => socket.end()),
  'resets each connection at once': atOnce((socket) => socket.resetAndDestroy()),
  'ends it once it was asked': onData((socket) => socket.end()),
  'closes it once it was asked': onData((socket) => socket.destroy()),
  'resets it once it was asked': onData((socket) => socket.resetAndDestroy()),
  'never answers': () => {},
  'says garbage': onData((socket) => socket.write('\0\xff garbage, and more of it')),
  'says garbage, and ends': onData((socket) => socket.end('\0\xff garbage, and more of it')),
  'answers in HTTP, and ends': onData((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
};

/** What has begun to answer has run. */
const answered: Readonly<Record<string, (socket: Socket) => void>> = {
  'says half a head, and waits': onData((socket) => socket.write(HALF_A_HEAD)),
  'says half a head, and ends': onData((socket) => socket.end(HALF_A_HEAD)),
  'says half a record, and ends': onData((socket) => socket.end(record(STDOUT, HEAD).subarray(0, 12))),
  'ends the request without a head': onData((socket) => socket.write(ENDED)),
};

async function ofTwenty(serve: (socket: Socket) => void, retry: 'unexecuted' | 'idempotent') {
  await using a = await rawServer(serve, 'tcp');
  await using b = await answering('b');
  await using upstream = new Upstream([a.address, b.address], { headersTimeout: 200, retry });
  const answers = await askInTurn(upstream, 20);
  // It may also be looked at what it is, on connections that carry no request.
  const examined = upstream.stats.servers[0]?.stats.closed.examined ?? 0;
  const asked = a.sockets.length - examined;
  return { failed: 20 - countOf(answers, 'b'), asked, state: stateOf(upstream, a.address) };
}

describe.each(Object.entries(unanswered))('one that %s', (_, serve) => {
  it('is asked twice at the most, and fails no more by default', async () => {
    const { failed, asked, state } = await ofTwenty(serve, 'unexecuted');
    expect(asked).toBeLessThanOrEqual(2);
    expect(failed).toBeLessThanOrEqual(asked);
    expect(state).toBe('failed');
  });

  it("fails none with retry: 'idempotent'", async () => {
    const { failed, asked, state } = await ofTwenty(serve, 'idempotent');
    expect({ failed, state }).toEqual({ failed: 0, state: 'failed' });
    expect(asked).toBeLessThanOrEqual(2);
  });
});

describe.each(Object.entries(answered))('one that %s', (_, serve) => {
  it.each(['unexecuted', 'idempotent'] as const)('is asked twice at the most (%s)', async (retry) => {
    const { failed, asked, state } = await ofTwenty(serve, retry);
    expect(asked).toBeLessThanOrEqual(2);
    expect(failed).toBe(asked);
    expect(state).toBe('failed');
  });
});
