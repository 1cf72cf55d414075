/** When a caller is told of a response: behind the turn of I/O in which it was read whole, and all of it that was read before. */
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type DispatchController, Pool } from '../../src/index.ts';
import { END, record, STDERR, STDOUT } from '../testing/support/wire.ts';
import { answer, COMPLETE, GET, gate, HEAD, Recorder, rawServer, text } from './support.ts';

/** A server that answers the first `count` requests, each on a connection of its own, at once. */
async function answersTogether(count: number): ReturnType<typeof rawServer> {
  const asked: Socket[] = [];
  return rawServer((socket) => {
    socket.once('data', () => {
      asked.push(socket);
      if (asked.length === count) for (const one of asked) one.write(answer());
    });
  });
}

class OnStart extends Recorder {
  readonly #act: (controller: DispatchController) => void;

  constructor(act: (controller: DispatchController) => void) {
    super();
    this.#act = act;
  }

  override onResponseStart(controller: DispatchController, statusCode: number): void {
    super.onResponseStart(controller, statusCode);
    this.#act(controller);
  }
}

describe('a response that is read whole', () => {
  it('is told once its connection has the next request', async () => {
    await using server = await rawServer((socket) => {
      let id = 0;
      socket.on('data', () => socket.write(answer('ok', (id++ % 2) + 1)));
    });
    await using pool = new Pool(server.address, { connections: 1 });
    const seen: object[] = [];
    const first = new OnStart(() => seen.push({ queued: pool.stats.queued, busy: pool.stats.busy }));
    const second = new Recorder();
    pool.dispatch({ params: GET }, first);
    pool.dispatch({ params: GET }, second);
    expect(pool.stats.queued).toBe(1);
    await first.over;
    expect(seen).toEqual([{ queued: 0, busy: 1 }]);
    await second.over;
    expect(second.events).toEqual(['request', 'start 200', 'data', 'end']);
  });

  it('is not failed by the destroy() of somebody who is told before', async () => {
    await using server = await answersTogether(2);
    const pool = new Pool(server.address, { connections: 2 });
    const first: unknown[] = [];
    const handlers = [0, 1].map(
      () =>
        new OnStart((controller) => {
          if (first.push(controller) === 1) void pool.destroy();
        }),
    );
    for (const handler of handlers) pool.dispatch({ params: GET }, handler);
    await Promise.all(handlers.map(({ over }) => over));
    // The one who destroys has been told of his head only.
    expect(handlers.map(({ events }) => events.at(-1)).sort()).toEqual(['end', 'error']);
    const [failed] = handlers.filter(({ error }) => error !== null);
    expect(failed?.error).toMatchObject({ code: 'FCGI_ERR_DESTROYED', executed: 'yes', phase: 'body' });
  });

  it('fails where its caller gives it up before he is told, and the facts say that it has run', async () => {
    await using server = await answersTogether(2);
    await using pool = new Pool(server.address, { connections: 2 });
    const reason = new Error('enough');
    const aborts = [new AbortController(), new AbortController()];
    const handlers = aborts.map((_, nth) => new OnStart(() => aborts[1 - nth]?.abort(reason)));
    for (const [nth, handler] of handlers.entries())
      pool.dispatch({ params: GET, signal: aborts[nth]?.signal }, handler);
    await Promise.all(handlers.map(({ over }) => over));
    const [failed] = handlers.filter(({ error }) => error === reason);
    expect(failed?.events).toEqual(['request', 'error']);
    expect(failed?.controller?.facts).toMatchObject({ executed: 'yes', phase: 'body' });
    expect(handlers.filter(({ ended }) => ended !== null)).toHaveLength(1);
    // Both connections have been answered to the end.
    expect(pool.stats.closed.aborted).toBe(0);
  });

  it('is in time where its timeout is over in the same turn', async () => {
    const asked = gate();
    let answerNow = (): void => {};
    await using server = await rawServer((socket) => {
      socket.once('data', () => {
        answerNow = (): void => void socket.write(answer());
        asked.open();
      });
    });
    await using pool = new Pool(server.address);
    const handler = new Recorder();
    const timeout = 60;
    const begun = performance.now();
    pool.dispatch({ params: GET, timeout }, handler);
    await asked.opened;
    // Until some ms before its end the loop runs, that the time counts.
    await new Promise((resolve) => setTimeout(resolve, timeout - 10 - (performance.now() - begun)));
    answerNow();
    while (performance.now() - begun < timeout + 5);
    expect(await handler.over).toBeNull();
  });

  it('comes in the order in which PHP wrote it, STDERR among it', async () => {
    await using server = await rawServer((socket) => {
      socket.on('data', () =>
        socket.write(
          Buffer.concat([
            record(STDOUT, `${HEAD}a`),
            record(STDERR, 'complaint'),
            record(STDOUT, 'b'),
            record(END, COMPLETE),
          ]),
        ),
      );
    });
    await using pool = new Pool(server.address);
    const handler = new Recorder();
    pool.dispatch({ params: GET, onStderr: (text) => handler.events.push(String(text)) }, handler);
    await handler.over;
    expect(handler.events).toEqual(['request', 'start 200', 'data', 'complaint', 'data', 'end']);
  });
});

it('what came before bytes that are no record is told before the error', async () => {
  await using server = await rawServer((socket) => {
    socket.on('data', () =>
      socket.write(Buffer.concat([record(STDOUT, `${HEAD}a`), Buffer.from('HTTP/1.1 200')])),
    );
  });
  await using pool = new Pool(server.address);
  const handler = new Recorder();
  pool.dispatch({ params: GET }, handler);
  expect(await handler.over).toMatchObject({ code: 'FCGI_ERR_RECORD_VERSION' });
  expect(handler.events).toEqual(['request', 'start 200', 'data', 'error']);
});

it('who gives up when told of that has his slot back, and the facts say that it has run', async () => {
  await using server = await rawServer((socket, nth) => {
    const bad = Buffer.concat([record(STDOUT, `${HEAD}a`), Buffer.from('HTTP/1.1 200')]);
    socket.on('data', () => socket.write(nth === 1 ? bad : answer()));
  });
  await using pool = new Pool(server.address, { connections: 1 });
  const handler = new OnStart((controller) => controller.abort());
  pool.dispatch({ params: GET }, handler);
  expect(await handler.over).toMatchObject({ name: 'AbortError' });
  expect(handler.controller?.facts).toMatchObject({ executed: 'yes' });
  expect(await text(pool, { params: GET })).toBe('ok');
});
