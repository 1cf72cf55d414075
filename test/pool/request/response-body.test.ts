/** The body that request() gives, where things go wrong. */
import { PassThrough, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { FcgiError } from '../../../src/errors.ts';
import { Pool } from '../../../src/pool/pool.ts';
import { type FakeFpm, startFakeFpm } from '../../../src/testing/index.ts';
import { Upstream } from '../../../src/upstream/upstream.ts';
import { waitFor } from '../../fpm/support/wait.ts';
import { GET, gate, HEAD, POST, Recorder, text } from '../support.ts';

const MIB = 1024 * 1024;

const saying = (output: string | Uint8Array): Promise<FakeFpm> =>
  startFakeFpm({ workers: 8, script: (_, response) => response.stdout(output) });

describe.each(['text', 'json', 'bytes'] as const)('%s()', (method) => {
  it('after the connection broke rejects with the error that says so', async () => {
    await using fpm = await startFakeFpm({
      script: async (_, response) => {
        await response.stdout(`${HEAD}half`);
        await response.kill();
      },
    });
    await using pool = new Pool(fpm.address);
    const { body, ended } = await pool.request({ params: GET });
    await expect(ended).rejects.toMatchObject({ name: 'SocketError', executed: 'yes' });
    await expect(body[method]()).rejects.toMatchObject({ name: 'SocketError', executed: 'yes' });
    await expect(body[method]()).rejects.toMatchObject({ name: 'SocketError', executed: 'yes' });
  });

  it('rejects with an abort’s reason as it is, an Error or not', async () => {
    await using fpm = await startFakeFpm({
      script: async (_, response) => {
        await response.stdout(`${HEAD}half`);
        await response.hang();
      },
    });
    await using pool = new Pool(fpm.address);
    const abort = new AbortController();
    const { body, ended } = await pool.request({ params: GET, signal: abort.signal });
    abort.abort('no Error');
    await expect(ended).rejects.toBe('no Error');
    await expect(body[method]()).rejects.toBe('no Error');
  });

  it('after destroy() rejects', async () => {
    await using fpm = await saying(`${HEAD}{}`);
    await using pool = new Pool(fpm.address);
    const { body, ended } = await pool.request({ params: GET });
    await ended;
    body.destroy();
    await expect(body[method]()).rejects.toThrow('the body was destroyed');
  });
});

it('a byte order mark in front of JSON, or of text, is no part of it; bytes() has it', async () => {
  await using fpm = await saying(`${HEAD}\ufeff{"a":1}`);
  await using pool = new Pool(fpm.address);
  const body = async () => (await pool.request({ params: GET })).body;
  expect(await (await body()).json()).toEqual({ a: 1 });
  expect(await (await body()).text()).toBe('{"a":1}');
  expect((await (await body()).bytes()).length).toBe(10);
});

describe('Content-Length', () => {
  const status = (line: string, length: string, body: string): string =>
    `Status: ${line}\r\n${length}Content-Type: text/plain\r\n\r\n${body}`;

  const dead = /ended before all of it/;
  const counted = /has counted otherwise/;
  it.each<[string, string, RegExp]>([
    ['too short', status('200 OK', 'Content-Length: 10\r\n', '12345'), dead],
    ['empty', status('200 OK', 'Content-Length: 10\r\n', ''), dead],
    ['too long', status('200 OK', 'Content-Length: 10\r\n', '123456789012'), counted],
    ['too long, of an error page', status('500 Oops', 'Content-Length: 0\r\n', 'x'), counted],
    [
      'of one of two lengths',
      status('200 OK', 'Content-Length: 5\r\nContent-Length: 6\r\n', '12345'),
      counted,
    ],
    [
      'of the longer of two',
      status('200 OK', 'Content-Length: 5\r\nContent-Length: 6\r\n', '123456'),
      counted,
    ],
  ])(
    'and a body that is %s: it errors, with a likely cause, and never ends, however it is read, and the connection is kept',
    async (_, output, hint) => {
      await using fpm = await saying(output);
      await using pool = new Pool(fpm.address, { connections: 1 });
      const wrong = {
        code: 'FCGI_ERR_CONTENT_LENGTH',
        name: 'ProtocolError',
        executed: 'yes',
        server: fpm.address,
        hint: expect.stringMatching(hint),
      };
      await expect(text(pool, { params: GET })).rejects.toMatchObject(wrong);
      await expect((await pool.request({ params: GET })).ended).rejects.toMatchObject(wrong);
      const { body } = await pool.request({ params: GET });
      let ended = false;
      body.on('end', () => {
        ended = true;
      });
      await expect(body.toArray()).rejects.toMatchObject(wrong);
      expect(ended).toBe(false);
      expect(fpm.accepted).toBe(1);
    },
  );

  it('its error says how much was sent and has come, and on which connection', async () => {
    const output = status('200 OK', 'Content-Length: 10\r\n', '12345');
    await using fpm = await saying(output);
    await using pool = new Pool(fpm.address, { connections: 1 });
    await text(pool, { params: GET }).catch(() => {});
    const body = (async function* () {
      yield 'a=1';
    })();
    const params = { ...POST, CONTENT_LENGTH: '3' };
    const error = await text(pool, { params, body }).catch((error: unknown) => error);
    if (!(error instanceof FcgiError)) throw new TypeError('no FcgiError');
    expect(error).toMatchObject({
      code: 'FCGI_ERR_CONTENT_LENGTH',
      requestsOnConnection: 2,
      replayable: true,
    });
    // The records: their headers besides, and END_REQUEST.
    expect(error.bytesReceived).toBeGreaterThanOrEqual(output.length + 3 * 8);
    expect(error.bytesSent).toBeGreaterThan('a=1'.length + 3 * 8);
  });

  it('and more than that: what is read is no longer than it says', async () => {
    await using fpm = await saying(status('200 OK', 'Content-Length: 10\r\n', '123456789012'));
    await using pool = new Pool(fpm.address);
    const { body } = await pool.request({ params: GET });
    let read = '';
    body.on('data', (chunk) => {
      read += chunk;
    });
    await new Promise((resolve) => body.on('error', resolve));
    expect('1234567890'.startsWith(read)).toBe(true);
  });

  it.each<[string, string, string]>([
    ['GET', status('200 OK', 'Content-Length: 5\r\n', '12345'), '12345'],
    ['GET', status('200 OK', 'Content-Length: 5\r\nContent-Length: 5\r\n', '12345'), '12345'],
    ['GET', status('200 OK', 'Content-Length: 0\r\n', ''), ''],
    ['GET', status('200 OK', 'Content-Length: many\r\n', '12345'), '12345'],
    ['HEAD', status('200 OK', 'Content-Length: 10\r\n', ''), ''],
    ['GET', status('304 Not Modified', 'Content-Length: 10\r\n', ''), ''],
    ['GET', status('204 No Content', 'Content-Length: 10\r\n', ''), ''],
  ])('is right, or says nothing of the body: %s %j', async (method, output, body) => {
    await using fpm = await saying(output);
    await using pool = new Pool(fpm.address);
    expect(await text(pool, { params: { ...GET, REQUEST_METHOD: method } })).toBe(body);
  });
});

describe('a body that nobody reads', () => {
  const long = (): Promise<FakeFpm> => saying(HEAD + 'x'.repeat(2 * MIB));

  it('is given up after bodyTimeout, says why, and its worker is free', async () => {
    await using fpm = await long();
    await using pool = new Pool(fpm.address, { connections: 2, bodyTimeout: 80 });
    const responses = await Promise.all([1, 2].map(() => pool.request({ params: GET })));
    const errors = await Promise.all(responses.map(({ ended }) => ended.catch((error: unknown) => error)));
    for (const error of errors) {
      expect(error).toMatchObject({
        code: 'FCGI_ERR_BODY_TIMEOUT',
        executed: 'yes',
        phase: 'body',
        hint: expect.stringMatching(/nobody reads the body/),
      });
    }
    expect(pool.stats.busy).toBe(0);
    expect(await text(pool, { params: GET })).toHaveLength(2 * MIB);
  });

  it.each<[string, (fpm: FakeFpm) => Pool | Upstream]>([
    ['Pool', (fpm) => new Pool(fpm.address, { bodyTimeout: 80 })],
    ['Upstream', (fpm) => new Upstream([fpm.address], { bodyTimeout: 80 })],
  ])('%s: close() ends', async (_, open) => {
    await using fpm = await long();
    const pool = open(fpm);
    await pool.request({ params: GET });
    await pool.close();
    expect(pool.stats.connected).toBe(0);
  });

  it('or whose reader has gone is, too; the request’s own bodyTimeout comes before that of the pool', async () => {
    await using fpm = await long();
    await using pool = new Pool(fpm.address);
    const { body, ended } = await pool.request({ params: GET, bodyTimeout: 80 });
    const left = gate();
    body.once('data', () => {
      body.pause();
      left.open();
    });
    await left.opened;
    await expect(ended).rejects.toMatchObject({
      code: 'FCGI_ERR_BODY_TIMEOUT',
      hint: expect.stringContaining('nobody'),
    });
  });

  it('that is read late, but in time, is whole; and as often as one likes', async () => {
    await using fpm = await long();
    await using pool = new Pool(fpm.address, { bodyTimeout: 300 });
    const { body } = await pool.request({ params: GET });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await body.text()).toHaveLength(2 * MIB);
  });

  it('is told from one whose reader is slow: a pipe that does not move, a loop that thinks', async () => {
    await using fpm = await long();
    await using pool = new Pool(fpm.address, { bodyTimeout: 200 });
    const go = gate();
    let length = 0;
    const slow = new Writable({
      highWaterMark: 1,
      write: (chunk, _encoding, done) => {
        length += chunk.length;
        void go.opened.then(() => done());
      },
    });
    const piped = await pool.request({ params: GET });
    piped.body.pipe(new PassThrough()).pipe(slow);
    const looped = await pool.request({ params: GET });
    const looping = (async () => {
      let sum = 0;
      for await (const chunk of looped.body) {
        await go.opened;
        sum += chunk.length;
      }
      return sum;
    })();
    await new Promise((resolve) => setTimeout(resolve, 500));
    go.open();
    expect(await looping).toBe(2 * MIB);
    await piped.ended;
    await waitFor(() => length === 2 * MIB);
  });
});

it('a handler that has paused is waited for as long as the pool is open, and for bodyTimeout once it closes', async () => {
  await using fpm = await saying(HEAD + 'x'.repeat(2 * MIB));
  const pool = new Pool(fpm.address, { bodyTimeout: 60 });
  const recorder = new Recorder();
  const paused = gate();
  recorder.onResponseStart = (controller) => {
    controller.pause();
    paused.open();
  };
  pool.dispatch({ params: GET }, recorder);
  await paused.opened;
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(recorder.events).not.toContain('error');
  const closing = performance.now();
  await pool.close();
  expect(performance.now() - closing).toBeGreaterThanOrEqual(50);
  expect(await recorder.over).toMatchObject({ code: 'FCGI_ERR_BODY_TIMEOUT', executed: 'yes' });
});
