import { existsSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { type FakeFpm, type FakeFpmOptions, type FakeScript, startFakeFpm } from '../../src/testing/index.ts';
import { gate, turn } from './support/gate.ts';
import * as wire from './support/wire.ts';
import { request, WireClient } from './support/wire.ts';

describe.each(['unix', 'tcp'] as const)('a script of the fake PHP-FPM (%s)', (transport) => {
  function start(script: FakeScript, options: FakeFpmOptions = {}): Promise<FakeFpm> {
    return startFakeFpm({ transport, workers: 1, script, ...options });
  }

  it('sees params and body, and answers with STDOUT, STDERR and statuses', async () => {
    await using fpm = await start(async (asked, response) => {
      await response.stderr('warning');
      await response.stdout(Buffer.from(`${asked.params['NAME']} ${await asked.body.text()}`));
      await response.end({ appStatus: 0xffff_ffff, protocolStatus: 2 });
    });
    await using client = await WireClient.open(fpm.address);
    client.send(request({ params: { NAME: 'é' }, body: 'body', keepConn: false }));
    const records = await client.ended();
    expect([client.text(wire.STDERR), client.text()]).toEqual(['warning', 'é body']);
    expect(records.at(-1)?.content).toEqual(Buffer.from([255, 255, 255, 255, 2, 0, 0, 0]));
    expect(fpm.requests[0]).toMatchObject({ keepConn: false, connection: 1, nth: 1 });
    expect(fpm.requests[0]?.rawParams.get('NAME')).toEqual(Buffer.from('é'));
  });

  it('can read the body of a PUT as it comes, in the pieces of 8 KiB in which PHP does', async () => {
    const pieces: string[] = [];
    const first = gate();
    await using fpm = await start(async (asked) => {
      for await (const piece of asked.body) {
        pieces.push(piece.toString());
        first.open();
      }
    });
    await using client = await WireClient.open(fpm.address);
    const params = { REQUEST_METHOD: 'PUT', CONTENT_LENGTH: '8198' };
    client.send(request({ params, body: 'x'.repeat(8191), terminator: false }));
    client.send(wire.record(wire.STDIN, 'one+'));
    await first.opened;
    await client.send(wire.record(wire.STDIN, 'two', 5)).ended();
    expect(pieces).toEqual([`${'x'.repeat(8191)}o`, 'ne+two']);
    await client.send(request()).ended(2);
  });

  it('gets one end, its own or ours', async () => {
    await using fpm = await start(async (_request, response) => {
      await response.end();
      await response.end({ appStatus: 1 });
    });
    await using client = await WireClient.open(fpm.address);
    await client.send(request()).ended();
    await client.send(request()).ended(2);
    expect(client.records().map(({ type, content }) => [type, content[3]])).toEqual([
      [wire.END, 0],
      [wire.END, 0],
    ]);
  });

  it('that throws ends the connection, and stop() throws the same', async () => {
    const error = new Error('assertion failed');
    const fpm = await start(() => {
      throw error;
    });
    await using client = await WireClient.open(fpm.address);
    client.send(request());
    expect(['FIN', 'ECONNRESET']).toContain(await client.ending);
    await expect(fpm.stop()).rejects.toBe(error);
  });

  it('that writes after end() is told so', async () => {
    const fpm = await start(async (_request, response) => {
      await response.end();
      await response.stdout('too late');
    });
    await using client = await WireClient.open(fpm.address);
    await client.send(request()).ended();
    await client.ending;
    await expect(fpm.stop()).rejects.toThrow('the script writes after response.end()');
  });

  it('can send bytes that are no records', async () => {
    await using fpm = await start(async (_request, response) => {
      await response.raw(Buffer.from('HTTP/1.1 400 Bad Request'));
    });
    await using client = await WireClient.open(fpm.address);
    client.send(request({ keepConn: false }));
    await client.ending;
    expect(client.received.subarray(0, 24).toString()).toBe('HTTP/1.1 400 Bad Request');
  });

  it('can close: FIN behind what was sent, and what comes is read until the client closes', async () => {
    await using fpm = await start(async ({ nth, connection }, response) => {
      if (nth + connection > 2) return;
      void response.stdout('half');
      await response.close();
    });
    await using client = await WireClient.open(fpm.address);
    client.send(request());
    expect(await client.ending).toBe('FIN');
    expect(client.text()).toBe('half');
    await client.written(request());
    expect(fpm.connections).toBe(1);
    client.close();
    await using other = await WireClient.open(fpm.address);
    await other.send(request()).ended();
    expect(fpm.requests.length).toBe(2);
  });

  it('can die: FIN where the client has sent nothing that was not read', async () => {
    await using fpm = await start((_request, response) => response.kill());
    await using client = await WireClient.open(fpm.address);
    client.send(request({ body: 'read before', terminator: false }));
    expect(await client.ending).toBe('FIN');
    expect(fpm.requests.length).toBe(1);
  });

  it('can die: ECONNRESET where the terminator of STDIN lies unread', async () => {
    await using fpm = await start((_request, response) => response.kill());
    await using client = await WireClient.open(fpm.address);
    client.send(request({ body: 'read before' }));
    expect(await client.ending).toBe('ECONNRESET');
    expect(fpm.requests.length).toBe(1);
  });

  it('can reset the connection, after what it has sent', async () => {
    await using fpm = await start(async (_request, response) => {
      await response.stdout('half');
      await response.reset();
    });
    await using client = await WireClient.open(fpm.address);
    client.send(request());
    expect(await client.ending).toBe('ECONNRESET');
    expect(client.text()).toBe('half');
  });

  it('can reset the connection where a request came behind the end of another, which is then not executed', async () => {
    const sent = gate();
    await using fpm = await start(async (_request, response) => {
      await response.finishEarly();
      await sent.opened;
      await response.reset();
    });
    await using client = await WireClient.open(fpm.address);
    await client.send(request()).ended();
    await client.written(request());
    sent.open();
    expect(await client.ending).toBe('ECONNRESET');
    expect(fpm.requests.length).toBe(1);
  });

  it('can hang until the client closes', async () => {
    await using fpm = await start(({ connection }, response) =>
      connection === 1 ? response.hang() : undefined,
    );
    const client = await WireClient.open(fpm.address);
    client.send(request());
    await fpm.executed(1);
    await turn();
    expect(client.received.length).toBe(0);
    client.close();
    await using other = await WireClient.open(fpm.address);
    await other.send(request()).ended();
  });

  it('is held by what onRequest returns, and is not executed meanwhile', async () => {
    const held = gate();
    const came = gate();
    await using fpm = await start(async (_request, response) => response.stdout('answer'), {
      onRequest: async () => {
        came.open();
        await held.opened;
      },
    });
    await using client = await WireClient.open(fpm.address);
    client.send(request());
    await came.opened;
    expect(fpm.requests).toEqual([]);
    held.open();
    await client.ended();
    expect(fpm.requests.length).toBe(1);
  });

  it('has its output cut, padded and split as the knobs say', async () => {
    const knobs = { writeSize: 7, padding: 3, recordSize: 10, stdoutTerminator: true };
    await using fpm = await start((_request, response) => response.stdout('x'.repeat(25)), knobs);
    await using client = await WireClient.open(fpm.address);
    const records = await client.send(request()).ended();
    expect(records.map(({ type, content, padding }) => [type, content.length, padding])).toEqual([
      [wire.STDOUT, 10, 3],
      [wire.STDOUT, 10, 3],
      [wire.STDOUT, 5, 3],
      [wire.STDOUT, 0, 3],
      [wire.END, 8, 0],
    ]);
    // 3 * 11 + 25 bytes, then 11 + 16.
    expect(client.chunks).toEqual([7, 7, 7, 7, 7, 7, 7, 7, 2, 7, 7, 7, 6]);
  });

  it('waits for the end of input where the knob says so, and takes a body of any length', async () => {
    await using fpm = await start(async (asked, response) => response.stdout(await asked.text()), {
      readsToEndOfInput: true,
    });
    await using client = await WireClient.open(fpm.address);
    client.send(request({ body: 'no ', terminator: false, params: { CONTENT_LENGTH: '2' } }));
    await turn();
    expect(fpm.requests).toEqual([]);
    await client.send(wire.record(wire.STDIN, 'length'), wire.record(wire.STDIN)).ended();
    expect(client.text()).toBe('no length');
    await client.send(request()).ended(2);
  });

  it('is left alone by stop(), which closes everything', async () => {
    const fpm = await start(() => new Promise(() => {}));
    await using busy = await WireClient.open(fpm.address);
    busy.send(request({ terminator: false }));
    await fpm.executed(1);
    await using waiting = await WireClient.open(fpm.address);
    await fpm.stop();
    expect(await busy.ending).toBe('FIN');
    expect(['FIN', 'ECONNRESET']).toContain(await waiting.ending);
    await fpm.stop();
    await expect(WireClient.open(fpm.address)).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:ENOENT|ECONNREFUSED)$/),
    });
    expect(existsSync(fpm.address.replace('unix:', ''))).toBe(false);
  });
});

describe('the fake PHP-FPM', () => {
  it('answers ok as it comes', async () => {
    await using fpm = await startFakeFpm();
    await using client = await WireClient.open(fpm.address);
    await client.send(request()).ended();
    expect(client.text()).toBe('Content-type: text/plain;charset=UTF-8\r\n\r\nok');
  });

  it.each([
    ['transport', { transport: 'udp' as 'tcp' }],
    ['script', { script: 'x' as unknown as FakeScript }],
    ['onRequest', { onRequest: 1 as unknown as () => void }],
    ['workers', { workers: 0 }],
    ['children', { children: 3 } as object],
    ['stdoutTerminator', { stdoutTerminator: 'yes' as never }],
    ['options', null as never],
    ['workers', { workers: '2' as unknown as number }],
    ['maxRequests', { maxRequests: -1 }],
    ['firstByteTimeout', { firstByteTimeout: Number.POSITIVE_INFINITY }],
    ['processControlTimeout', { processControlTimeout: -1 }],
    ['recordSize', { recordSize: 65_536 }],
    ['writeSize', { writeSize: 0.5 }],
    ['padding', { padding: 256 }],
  ])('refuses a bad %s by its name', async (option, options) => {
    await expect(startFakeFpm(options)).rejects.toMatchObject({ code: 'FCGI_ERR_INVALID_ARG', option });
  });
});

it('on Bun, whose sockets would leave each request without an answer, it says so', async () => {
  vi.stubGlobal('Bun', {});
  try {
    await expect(startFakeFpm()).rejects.toThrow(
      'the sockets of Bun cannot: use Node.js, or a MockDispatcher',
    );
  } finally {
    vi.unstubAllGlobals();
  }
});
