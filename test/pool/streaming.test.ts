import { describe, expect, it } from 'vitest';
import { Pool } from '../../src/pool/pool.ts';
import { startFakeFpm } from '../../src/testing/index.ts';
import { waitFor } from '../fpm/support/wait.ts';
import { ended, GET, gate, HEAD, POST, PUT, Recorder, rawServer, text } from './support.ts';

const MIB = 1024 * 1024;

/** Resolves when `value()` has been the same for 50 ms: what moves has come to rest. */
async function settled(value: () => number): Promise<number> {
  let last = value();
  let since = performance.now();
  await waitFor(() => {
    const now = value();
    if (now !== last) [last, since] = [now, performance.now()];
    return performance.now() - since > 50;
  });
  return last;
}

describe.each(['unix', 'tcp'] as const)('backpressure (%s)', (transport) => {
  it('a reader that does not read stops the server: only what is in flight is taken', async () => {
    let written = 0;
    await using fpm = await startFakeFpm({
      transport,
      script: async (_, response) => {
        await response.stdout(HEAD);
        for (; written < 64; written++) await response.stdout(Buffer.alloc(MIB, written));
      },
    });
    await using pool = new Pool(fpm.address);
    const response = await pool.request({ params: GET });
    // Kernel buffers of both ends (a few MiB over tcp), and 64 KiB of ours.
    expect(await settled(() => written)).toBeLessThan(16);
    let length = 0;
    for await (const chunk of response.body) length += (chunk as Buffer).length;
    expect(length).toBe(64 * MIB);
  });

  it('a handler that pauses is told no more until it resumes', async () => {
    await using fpm = await startFakeFpm({
      transport,
      script: (_, response) => response.stdout(HEAD + 'x'.repeat(8 * MIB)),
    });
    await using pool = new Pool(fpm.address);
    const recorder = new Recorder();
    const { onResponseData } = recorder;
    let paused = false;
    recorder.onResponseData = (controller, chunk) => {
      onResponseData.call(recorder, controller, chunk);
      if (paused) return;
      paused = true;
      controller.pause();
    };
    pool.dispatch({ params: GET }, recorder);
    await waitFor(() => paused);
    expect(recorder.controller?.paused).toBe(true);
    expect(await settled(() => recorder.events.length)).toBeLessThan(30);
    recorder.controller?.resume();
    expect(await recorder.over).toBeNull();
    expect(Buffer.concat(recorder.chunks).length).toBe(8 * MIB);
  });

  it('a server that does not read stops the source of the body', async () => {
    let asked = 0;
    const body = (async function* (): AsyncGenerator<Buffer> {
      for (; asked < 64; asked++) yield Buffer.alloc(MIB);
    })();
    const hold = gate();
    await using fpm = await startFakeFpm({
      transport,
      script: async (request, response) => {
        await hold.opened;
        await response.stdout(`${HEAD}${(await request.body.bytes()).length}`);
      },
    });
    await using pool = new Pool(fpm.address);
    const params = { ...PUT, CONTENT_LENGTH: String(64 * MIB) };
    const response = text(pool, { params, body });
    expect(await settled(() => asked)).toBeLessThan(16);
    hold.open();
    expect(await response).toBe(String(64 * MIB));
  });

  it('full duplex: the response is read before the body is all sent, so an echo of 8 MiB does not lock up', async () => {
    await using fpm = await startFakeFpm({
      transport,
      script: async (request, response) => {
        await response.stdout(HEAD);
        for await (const piece of request.body) await response.stdout(piece);
      },
    });
    await using pool = new Pool(fpm.address);
    const sent = Buffer.alloc(8 * MIB);
    for (let i = 0; i < sent.length; i += 4) sent.writeUInt32BE(i, i);
    const response = await pool.request({ params: PUT, body: sent });
    expect(sent.equals(await response.body.bytes())).toBe(true);
    expect(await response.ended).toMatchObject({ attempts: 1 });
    expect(pool.stats.idle).toBe(1);
  });
});

describe('a body that is longer than one record', () => {
  it.each([65_527, 65_528, 65_529, 131_056, 131_057, 300_000, 3 * MIB])(
    '%i bytes arrive as they are, from a buffer and from a stream',
    async (length) => {
      await using fpm = await startFakeFpm({
        script: async (request, response) =>
          response.stdout(Buffer.concat([Buffer.from(HEAD), await request.body.bytes()])),
      });
      await using pool = new Pool(fpm.address);
      const sent = Buffer.alloc(length);
      for (let i = 0; i < length; i++) sent[i] = i % 251;
      const whole = await pool.request({ params: POST, body: sent });
      expect(sent.equals(await whole.body.bytes())).toBe(true);
      const pieces = (async function* (): AsyncGenerator<Buffer> {
        for (let at = 0; at < length; at += 50_000) yield sent.subarray(at, at + 50_000);
      })();
      const streamed = await pool.request({
        params: { ...POST, CONTENT_LENGTH: String(length) },
        body: pieces,
      });
      expect(sent.equals(await streamed.body.bytes())).toBe(true);
    },
  );
});

describe('a response that ends before the request is all sent', () => {
  it('is whole, its source is told, and the connection is not used again', async () => {
    await using server = await rawServer((socket) => {
      socket.once('data', () => {
        socket.pause();
        socket.write(
          Buffer.concat([
            Buffer.from([1, 6, 0, 1, 0, 6, 0, 0]),
            Buffer.from('A: b\n\n'),
            Buffer.from([1, 3, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
          ]),
        );
      });
    });
    await using pool = new Pool(server.address);
    const told = gate();
    const endless = (async function* (): AsyncGenerator<Buffer> {
      try {
        for (;;) yield Buffer.alloc(65_536);
      } finally {
        told.open();
      }
    })();
    const how = await ended(pool, { params: { ...POST, CONTENT_LENGTH: String(1024 * MIB) }, body: endless });
    expect(how.executed).toBe('yes');
    expect(pool.stats).toMatchObject({ connected: 0, closed: { 'body-unsent': 1 } });
    await told.opened;
  });
});

describe('a body whose length is wrong', () => {
  it.each([
    ['longer', ['abc', 'def']],
    ['shorter', ['ab']],
  ])('a stream that is %s fails, and its connection is closed', async (_, pieces) => {
    await using fpm = await startFakeFpm({ script: (_request, response) => response.hang() });
    await using pool = new Pool(fpm.address);
    const body = (async function* (): AsyncGenerator<string> {
      yield* pieces;
    })();
    await expect(pool.request({ params: { ...PUT, CONTENT_LENGTH: '4' }, body })).rejects.toMatchObject({
      code: 'FCGI_ERR_BODY_LENGTH',
    });
    expect(pool.stats).toMatchObject({ connected: 0, idle: 0 });
  });

  it('a source that fails, fails the request as it did', async () => {
    await using fpm = await startFakeFpm({ script: (_, response) => response.hang() });
    await using pool = new Pool(fpm.address);
    const reason = new Error('the disk is gone');
    const body = (async function* (): AsyncGenerator<string> {
      yield 'a';
      throw reason;
    })();
    await expect(pool.request({ params: { ...PUT, CONTENT_LENGTH: '4' }, body })).rejects.toBe(reason);
    expect(pool.stats.connected).toBe(0);
  });

  it('a buffer of the wrong length fails before anything is dialled', async () => {
    await using server = await rawServer(() => {});
    await using pool = new Pool(server.address);
    for (const length of ['2', '4']) {
      await expect(
        pool.request({ params: { ...POST, CONTENT_LENGTH: length }, body: 'abc' }),
      ).rejects.toMatchObject({
        code: 'FCGI_ERR_BODY_LENGTH',
        attempts: 0,
      });
    }
    expect(pool.stats.connected).toBe(0);
    expect(server.sockets).toHaveLength(0);
  });
});

it('a stream of unknown length reaches PHP with its CONTENT_LENGTH', async () => {
  await using fpm = await startFakeFpm({
    script: async (request, response) =>
      response.stdout(`${HEAD}${request.params['CONTENT_LENGTH']} ${await request.text()}`),
  });
  await using pool = new Pool(fpm.address);
  const body = (async function* (): AsyncGenerator<string> {
    yield 'ab';
    yield '\u00fc';
  })();
  expect(await text(pool, { params: POST, body })).toBe('4 ab\u00fc');
});
