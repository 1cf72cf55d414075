import { describe, expect, it } from 'vitest';
import { FcgiError } from '../../src/errors.ts';
import type { DispatchController } from '../../src/pool/dispatcher.ts';
import { Pool } from '../../src/pool/pool.ts';
import { type FakeFpm, MockDispatcher, startFakeFpm } from '../../src/testing/index.ts';
import { waitFor } from '../fpm/support/wait.ts';
import { ended, GET, gate, HEAD, Recorder, text } from './support.ts';

const saying = (output: string | Uint8Array): Promise<FakeFpm> =>
  startFakeFpm({ script: (_, response) => response.stdout(output) });

describe('the head', () => {
  it('has status, reason, headers in lower case, and the raw ones in order and case', async () => {
    await using fpm = await saying(
      'Status: 404 Not Here\r\nX-A: 1\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nx-a: 2\r\n\r\n',
    );
    await using pool = new Pool(fpm.address);
    const { statusCode, statusText, headers, rawHeaders, body } = await pool.request({ params: GET });
    expect({ statusCode, statusText }).toEqual({ statusCode: 404, statusText: 'Not Here' });
    expect({ ...headers }).toEqual({ 'x-a': ['1', '2'], 'set-cookie': ['a=1', 'b=2'] });
    expect(rawHeaders).toEqual(['X-A', '1', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'x-a', '2']);
    expect(await body.text()).toBe('');
  });

  it('Connection: close is for us: the connection is not used again, and the header not passed on', async () => {
    await using fpm = await saying('Connection: close\r\nX-A: 1\r\n\r\nok');
    await using pool = new Pool(fpm.address);
    const response = await pool.request({ params: GET });
    expect({ ...response.headers }).toEqual({ 'x-a': '1' });
    expect(response.rawHeaders).toEqual(['X-A', '1']);
    expect(await response.body.text()).toBe('ok');
    expect(pool.stats).toMatchObject({ connected: 0, closed: { 'asked-by-script': 1 } });
  });
});

it.each(['onResponseEnd', 'onResponseError'] as const)(
  'the raw headers are there up to the last callback, %s, and go with the request',
  async (last) => {
    await using fpm = await saying('X-A: 1\r\n\r\nok');
    await using pool = new Pool(fpm.address);
    const over = gate();
    const seen: [string, readonly string[]][] = [];
    let steering: DispatchController | null = null;
    const note = (name: string, controller: DispatchController): void => {
      steering = controller;
      seen.push([name, controller.rawHeaders]);
      if (name === last) over.open();
    };
    pool.dispatch(
      { params: GET },
      {
        onRequestStart: (controller) => note('onRequestStart', controller),
        onResponseStart: (controller) => note('onResponseStart', controller),
        onResponseData: (controller) => last === 'onResponseError' && controller.abort(),
        onResponseEnd: (controller) => note('onResponseEnd', controller),
        onResponseError: (controller) => note('onResponseError', controller),
      },
    );
    await over.opened;
    expect(seen).toEqual([
      ['onRequestStart', []],
      ['onResponseStart', ['X-A', '1']],
      [last, ['X-A', '1']],
    ]);
    expect(steering).toMatchObject({ rawHeaders: [] });
  },
);

describe('the body', () => {
  it('as text, JSON or bytes', async () => {
    await using fpm = await saying(`${HEAD}{"a":"\u00fc"}`);
    await using pool = new Pool(fpm.address);
    const body = async () => (await pool.request({ params: GET })).body;
    expect(await (await body()).text()).toBe('{"a":"\u00fc"}');
    expect(await (await body()).json()).toEqual({ a: '\u00fc' });
    expect(Buffer.from(await (await body()).bytes()).toString()).toBe('{"a":"\u00fc"}');
  });

  it('as ArrayBuffer, or as Blob with its type', async () => {
    await using fpm = await saying('Content-Type: image/x\r\n\r\nab');
    await using pool = new Pool(fpm.address);
    const body = async () => (await pool.request({ params: GET })).body;
    expect(await (await body()).arrayBuffer()).toEqual(Uint8Array.of(97, 98).buffer);
    const blob = await (await body()).blob();
    expect([blob.type, await blob.text()]).toEqual(['image/x', 'ab']);
  });

  it('is used once something of it was asked for', async () => {
    await using fpm = await saying(`${HEAD}ok`);
    await using pool = new Pool(fpm.address);
    const { body } = await pool.request({ params: GET });
    expect(body.bodyUsed).toBe(false);
    await body.text();
    expect(body.bodyUsed).toBe(true);
    const other = (await pool.request({ params: GET })).body;
    for await (const _ of other);
    expect(other.bodyUsed).toBe(true);
  });

  describe('dump()', () => {
    const long = HEAD + 'x'.repeat(1_000_000);

    it.each([
      ['a short one is read, and its connection serves on', `${HEAD}ok`, undefined, 1],
      ['a long one within its limit, too', long, { limit: 1_000_000 }, 1],
      ['a longer one is given up with its connection', long, undefined, 2],
    ])('%s', async (_, content, options, connections) => {
      await using fpm = await saying(content);
      await using pool = new Pool(fpm.address, { connections: 1, keepaliveTime: 0, keepaliveTimeout: 0 });
      for (let i = 0; i < 2; i++) {
        const { body } = await pool.request({ params: GET });
        expect(await body.dump(options)).toBe(null);
        // what was read may be dumped again
        expect(await body.dump()).toBe(null);
      }
      expect(fpm.accepted).toBe(connections);
    });

    it('rejects with the reason of its signal', async () => {
      await using fpm = await startFakeFpm({
        script: async (_, response) => {
          response.stdout(`${HEAD}x`);
          await new Promise(() => {});
        },
      });
      await using pool = new Pool(fpm.address);
      const { body } = await pool.request({ params: GET });
      const reason = new Error('enough');
      const controller = new AbortController();
      const dumped = body.dump({ signal: controller.signal });
      controller.abort(reason);
      await expect(dumped).rejects.toBe(reason);
      await waitFor(() => pool.stats.busy === 0);
    });

    it('rejects as the body errors', async () => {
      await using fpm = await saying(`Content-Length: 10\r\n\r\nshort`);
      await using pool = new Pool(fpm.address);
      const { body } = await pool.request({ params: GET });
      await expect(body.dump()).rejects.toMatchObject({ code: 'FCGI_ERR_CONTENT_LENGTH' });
    });
  });

  it('as a stream, bytes as they are', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    await using fpm = await saying(Buffer.concat([Buffer.from(HEAD), bytes]));
    await using pool = new Pool(fpm.address);
    const chunks: Buffer[] = [];
    for await (const chunk of (await pool.request({ params: GET })).body) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks)).toEqual(bytes);
  });

  it('is read once', async () => {
    await using fpm = await saying(`${HEAD}ok`);
    await using pool = new Pool(fpm.address);
    const { body } = await pool.request({ params: GET });
    expect(await body.text()).toBe('ok');
    await expect(body.text()).rejects.toThrow(TypeError);
  });

  it('that is no JSON rejects, and the connection is as good as before', async () => {
    await using fpm = await saying(`${HEAD}<html>`);
    await using pool = new Pool(fpm.address);
    await expect((await pool.request({ params: GET })).body.json()).rejects.toThrow(SyntaxError);
    expect(pool.stats.idle).toBe(1);
  });

  it('that nobody reads gives its connection back, where it is small', async () => {
    await using fpm = await saying(`${HEAD}${'x'.repeat(10_000)}`);
    await using pool = new Pool(fpm.address, { connections: 1, keepaliveTime: 0, keepaliveTimeout: 0 });
    for (let i = 0; i < 5; i++) await pool.request({ params: GET });
    await waitFor(() => pool.stats.idle === 1);
    expect(fpm.accepted).toBe(1);
  });

  it('may be asked for long after it has come', async () => {
    await using fpm = await saying(`${HEAD}ok`);
    await using pool = new Pool(fpm.address);
    const response = await pool.request({ params: GET });
    await response.ended;
    expect(await response.body.text()).toBe('ok');
  });

  it('that nobody wanted, and fails, ends no process', async () => {
    const rejections: unknown[] = [];
    const note = (reason: unknown): void => void rejections.push(reason);
    process.on('unhandledRejection', note);
    process.on('uncaughtException', note);
    try {
      await using fpm = await startFakeFpm({
        script: async (_, response) => {
          await response.stdout(`${HEAD}half`);
          response.kill();
        },
      });
      await using pool = new Pool(fpm.address);
      await pool.request({ params: GET });
      const { ended: failing } = await pool.request({ params: GET });
      await expect(failing).rejects.toMatchObject({ executed: 'yes' });
      const { body } = await pool.request({ params: GET });
      await expect(body.text()).rejects.toMatchObject({ executed: 'yes' });
      await waitFor(() => pool.stats.connected === 0);
      await new Promise((resolve) => setTimeout(resolve, 20));
    } finally {
      process.off('unhandledRejection', note);
      process.off('uncaughtException', note);
    }
    expect(rejections).toEqual([]);
  });
});

it('`ended` says how it went', async () => {
  await using fpm = await startFakeFpm({
    script: async (_, response) => {
      await response.stdout(HEAD);
      await response.end({ appStatus: 0xfedcba98 });
    },
  });
  await using pool = new Pool(fpm.address);
  expect(await ended(pool, { params: GET })).toMatchObject({
    appStatus: 0xfedcba98,
    reused: false,
    attempts: 1,
    executed: 'yes',
    stderr: '',
  });
  expect(await ended(pool, { params: GET })).toMatchObject({ reused: true });
});

it('a copy of it, `{ ...response }`, has all of it, as one of undici has', async () => {
  await using fpm = await startFakeFpm();
  await using pool = new Pool(fpm.address);
  const { statusCode, ...rest } = await pool.request({ params: GET });
  expect([statusCode, await rest.body.text()]).toEqual([200, 'ok']);
  expect(await rest.ended).toMatchObject({ executed: 'yes' });
  expect(Object.keys({ statusCode, ...rest })).toEqual(
    Object.keys(await new MockDispatcher().request({ params: GET })),
  );
});

describe('what a callback of the handler throws fails the request with it, and nobody else', () => {
  const oops = new Error('oops');
  const throwOops = (): never => {
    throw oops;
  };

  it.each(['onRequestStart', 'onResponseStart', 'onResponseData', 'onResponseEnd'] as const)(
    '%s',
    async (name) => {
      await using fpm = await saying(`${HEAD}ok`);
      await using pool = new Pool(fpm.address, { connections: 1 });
      const recorder = new Recorder();
      recorder[name] = throwOops;
      pool.dispatch({ params: GET }, recorder);
      expect(await recorder.over).toBe(oops);
      expect(recorder.events.filter((event) => event === 'error')).toHaveLength(1);
      expect(await text(pool, { params: GET })).toBe('ok');
    },
  );

  it.each(['onRequestStart', 'onResponseStart', 'onResponseData', 'onResponseEnd'] as const)(
    '%s, an error of ours that the caller has frozen: it is told as it is',
    async (name) => {
      await using fpm = await saying(`${HEAD}ok`);
      await using pool = new Pool(fpm.address, { connections: 1 });
      const frozen = Object.freeze(new FcgiError('FCGI_ERR_CLOSED', 'not now'));
      const recorder = new Recorder();
      recorder[name] = () => {
        throw frozen;
      };
      pool.dispatch({ params: GET }, recorder);
      expect(await recorder.over).toBe(frozen);
      expect(await text(pool, { params: GET })).toBe('ok');
    },
  );

  it('onResponseError itself: nobody is left to tell, and the pool goes on', async () => {
    await using fpm = await saying(`${HEAD}ok`);
    await using pool = new Pool(fpm.address, { connections: 1 });
    const called = gate();
    const recorder = new Recorder();
    recorder.onResponseData = throwOops;
    recorder.onResponseError = () => {
      called.open();
      throw oops;
    };
    pool.dispatch({ params: GET }, recorder);
    await called.opened;
    expect(await text(pool, { params: GET })).toBe('ok');
  });

  it('onStderr', async () => {
    await using fpm = await startFakeFpm({ script: (_, response) => response.stderr('oops') });
    await using pool = new Pool(fpm.address);
    await expect(pool.request({ params: GET, onStderr: throwOops })).rejects.toBe(oops);
  });
});

it.each([5, 5_000, 500_000])(
  'what was handed on stays as it was, whatever comes on other connections: %i bytes',
  async (length) => {
    await using fpm = await startFakeFpm({
      workers: 4,
      script: async (request, response) => {
        const letter = request.params['QUERY_STRING'] ?? '';
        await response.stderr(letter.repeat(100));
        await response.stdout(HEAD + letter.repeat(length));
      },
    });
    await using pool = new Pool(fpm.address, { connections: 4 });
    const letters = [...'abcdefghijklmnopqrstuvwxyz'];
    const seen = await Promise.all(
      letters.map(async (letter) => {
        const errors: Uint8Array[] = [];
        const params = { ...GET, QUERY_STRING: letter };
        const response = await pool.request({ params, onStderr: (chunk) => void errors.push(chunk) });
        return { response, errors, chunks: (await response.body.toArray()) as Buffer[] };
      }),
    );
    for (const [i, { errors, chunks }] of seen.entries()) {
      const letter = letters[i] ?? '';
      expect(Buffer.concat(errors).toString()).toBe(letter.repeat(100));
      expect(Buffer.concat(chunks).equals(Buffer.alloc(length, letter))).toBe(true);
    }
  },
);
