import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FailureFacts } from '../../src/errors.ts';
import { Job } from '../../src/pool/job.ts';
import { Pool } from '../../src/pool/pool.ts';
import { startFakeFpm } from '../../src/testing/index.ts';
import { waitFor } from '../fpm/support/wait.ts';
import { END, GET_VALUES, GET_VALUES_RESULT, pair, record, STDERR, STDOUT } from '../testing/support/wire.ts';
import { answer, COMPLETE, ended, GET, HEAD, Recorder, rawServer, sayingServer, text } from './support.ts';

const refused = (protocolStatus: number): Buffer =>
  record(END, Buffer.from([0, 0, 0, 0, protocolStatus, 0, 0, 0]));
const otherId = (bytes: Buffer): Buffer => {
  const copy = Buffer.from(bytes);
  copy[3] = 2;
  return copy;
};

describe.each(['unix', 'tcp'] as const)('an answer that makes no sense (%s)', (transport) => {
  it.each<[string, Buffer, string]>([
    ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'), 'FCGI_ERR_RECORD_VERSION'],
    ['a banner of SSH', Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'), 'FCGI_ERR_RECORD_VERSION'],
    ['a record for another request', otherId(record(STDOUT, HEAD)), 'FCGI_ERR_RECORD_ID'],
    ['END_REQUEST of a wrong length', record(END, Buffer.alloc(7)), 'FCGI_ERR_RECORD_LENGTH'],
    ['a record that is not part of a response', record(GET_VALUES_RESULT), 'FCGI_ERR_RECORD_TYPE'],
    ['STDOUT after its end', Buffer.concat([record(STDOUT), record(STDOUT, HEAD)]), 'FCGI_ERR_RECORD_ORDER'],
    ['no head', record(END, COMPLETE), 'FCGI_ERR_HEAD_MISSING'],
    [
      'half a head',
      Buffer.concat([record(STDOUT, 'Content-type: text/html\r\n'), record(END, COMPLETE)]),
      'FCGI_ERR_HEAD_MISSING',
    ],
    ['a head that is none', record(STDOUT, 'Fatal error: out of memory\n\n'), 'FCGI_ERR_HEAD_INVALID'],
    ['a head too large', record(STDOUT, `A: ${'x'.repeat(2_000)}`), 'FCGI_ERR_HEAD_TOO_LARGE'],
  ])('%s: its own code, once, and the socket is closed', async (_, bytes, code) => {
    await using server = await sayingServer(bytes, transport);
    await using pool = new Pool(server.address, { maxHeaderSize: 1_000, retry: 'always' });
    await expect(pool.request({ params: GET })).rejects.toMatchObject({ code, attempts: 1, reused: false });
    expect(pool.stats).toMatchObject({ connected: 0, idle: 0, served: 0 });
  });
});

it.each<[string, Buffer]>([
  ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')],
  ['a record for another request', otherId(record(STDOUT, HEAD))],
  ['a record that is not part of a response', record(GET_VALUES_RESULT)],
])(
  '%s in place of an answer proves nothing: the request is unknown, and not sent again',
  async (_, bytes) => {
    await using server = await sayingServer(bytes);
    await using pool = new Pool(server.address, { retry: 'always' });
    const error = { executed: 'unknown', attempts: 1, bytesReceived: bytes.length };
    await expect(pool.request({ params: GET })).rejects.toMatchObject(error);
  },
);

const headerOf = (type: number, id: number, version = 1): Buffer => {
  const header = record(type, 'x', 0, id).subarray(0, 8);
  header[0] = version;
  return header;
};

describe.each([1, 2])('on a connection, request %i, bytes that are no record under its id', (nth) => {
  const begun = [1, 2, 3, 4, 5, 6, 7].map((length): [string, Buffer] => [
    `${length} of the first eight`,
    headerOf(STDOUT, nth).subarray(0, length),
  ]);
  const cases: [string, Buffer][] = [
    ...begun,
    ['another version', headerOf(STDOUT, nth, 2)],
    ['another id', headerOf(STDOUT, 7)],
    ['a type that answers nothing', headerOf(GET_VALUES_RESULT, nth)],
  ];
  it.each(
    cases.flatMap(([name, bytes]) =>
      (['php-fpm', 'auto', 'generic'] as const).flatMap((backend) =>
        (['end', 'resetAndDestroy'] as const).map((close) => [name, backend, close, bytes] as const),
      ),
    ),
  )('are no proof that it ran: %s, from %s, then %s', async (_, backend, close, bytes) => {
    await using server = await rawServer((socket) => {
      let requests = 0;
      socket.on('data', (chunk: Buffer) => {
        // FCGI_GET_VALUES is none.
        if (chunk[1] === GET_VALUES)
          socket.write(record(GET_VALUES_RESULT, pair('FCGI_MPXS_CONNS', '0'), 0, 0));
        else if (++requests < nth) socket.write(answer('ok', requests));
        else socket.write(bytes, () => socket[close]());
      });
    }, 'tcp');
    await using pool = new Pool(server.address, { backend, retry: 'never' });
    for (let before = 1; before < nth; before++) {
      await text(pool, { params: GET });
      await waitFor(() => pool.stats.idle === 1);
    }
    await expect(pool.request({ params: GET })).rejects.toMatchObject({
      executed: 'unknown',
      reused: nth > 1,
    });
  });
});

it('a caller who gives up behind half of a first record is not told that it ran', async () => {
  await using server = await sayingServer(headerOf(STDOUT, 1).subarray(0, 5));
  await using pool = new Pool(server.address);
  const recorder = new Recorder();
  const seen: FailureFacts[] = [];
  pool.dispatch({ params: GET, onAbort: (facts) => seen.push(facts) }, recorder);
  const { controller } = recorder;
  await waitFor(() => controller instanceof Job && controller.exchange?.bytesReceived === 5);
  controller?.abort('gone');
  await recorder.over;
  expect(seen).toMatchObject([{ executed: 'unknown', bytesReceived: 5 }]);
});

it('what makes no sense behind a piece of the answer leaves it run', async () => {
  await using server = await sayingServer(
    Buffer.concat([record(STDOUT, 'A: '), Buffer.from('HTTP/1.1 400\r\n')]),
  );
  await using pool = new Pool(server.address);
  await expect(pool.request({ params: GET })).rejects.toMatchObject({
    code: 'FCGI_ERR_RECORD_VERSION',
    executed: 'yes',
  });
});

it.each([
  ['OVERLOADED', 2, 'FCGI_ERR_OVERLOADED'],
  ['CANT_MPX_CONN', 1, 'FCGI_ERR_CANT_MPX_CONN'],
  ['UNKNOWN_ROLE', 3, 'FCGI_ERR_UNKNOWN_ROLE'],
])(
  'a server that says %s has not run the request: it is asked as often as `tries` says, then the error says so',
  async (_, status, code) => {
    await using server = await sayingServer(refused(status));
    await using pool = new Pool(server.address, { tries: 3 });
    await expect(pool.request({ params: GET })).rejects.toMatchObject({ code, executed: 'no', attempts: 3 });
    expect(pool.stats).toMatchObject({ connected: 0, idle: 0, served: 0 });
  },
);

it.each([
  ['no head', record(END, COMPLETE), 'stderr'],
  ['a line that is no header', record(STDOUT, 'A: 1\r\nno header\r\n\r\n'), 'header()'],
  ['a head too large', record(STDOUT, `A: ${'x'.repeat(2_000)}`), 'maxHeaderSize'],
  ['a record for another request', otherId(record(STDOUT, HEAD)), 'keepalive: 0'],
])('%s: the hint says what may be done', async (_, bytes, hint) => {
  await using server = await sayingServer(bytes);
  await using pool = new Pool(server.address, { maxHeaderSize: 1_000 });
  await expect(pool.request({ params: GET })).rejects.toMatchObject({ hint: expect.stringContaining(hint) });
});

it('a port that speaks HTTP gets a hint that says so', async () => {
  await using server = await sayingServer(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), 'tcp');
  await using pool = new Pool(server.address);
  await expect(pool.request({ params: GET })).rejects.toMatchObject({
    hint: expect.stringContaining('HTTP'),
  });
});

describe('bytes behind the end of a response', () => {
  it.each<[string, Buffer]>([
    ['one byte', Buffer.from([1])],
    ['another END_REQUEST', record(END, COMPLETE)],
    ['a whole second response', answer('stale')],
    ['not even a record', Buffer.from('HTTP/1.1')],
  ])('%s: the response is whole, the socket is not used again', async (_, trailing) => {
    await using server = await sayingServer(Buffer.concat([answer(), trailing]));
    await using pool = new Pool(server.address);
    for (let i = 0; i < 3; i++) expect(await ended(pool, { params: GET })).toMatchObject({ reused: false });
    expect(server.sockets).toHaveLength(3);
    expect(pool.stats).toMatchObject({ served: 3, connected: 0, closed: { 'trailing-bytes': 3 } });
  });

  it('that come later, while the socket is idle: it is closed at once and never lent', async () => {
    await using server = await rawServer((socket) => {
      socket.on('data', () => socket.write(answer('mine')));
    });
    await using pool = new Pool(server.address);
    expect(await text(pool, { params: GET })).toBe('mine');
    server.sockets[0]?.write(answer('not yours'));
    await waitFor(() => pool.stats.connected === 0);
    expect(pool.stats.closed['trailing-bytes']).toBe(1);
    expect(await text(pool, { params: GET })).toBe('mine');
    expect(server.sockets).toHaveLength(2);
  });
});

describe('an idle connection', () => {
  it.each<
    [string, (socket: { end(): unknown; destroy(): unknown; resetAndDestroy(): unknown }) => unknown, string]
  >([
    ['half-closes', (socket) => socket.end(), 'server-closed'],
    ['closes', (socket) => socket.destroy(), 'server-closed'],
    ['resets', (socket) => socket.resetAndDestroy(), 'reset'],
  ])('whose server %s is closed at once, so that its worker can be replaced', async (_, close, reason) => {
    await using server = await sayingServer(answer(), 'tcp');
    await using pool = new Pool(server.address, { backend: 'php-fpm' });
    await ended(pool, { params: GET });
    const socket = server.sockets[0];
    if (socket) close(socket);
    await waitFor(() => pool.stats.connected === 0);
    expect(pool.stats.closed).toMatchObject({ [reason]: 1 });
    expect(await ended(pool, { params: GET })).toMatchObject({ reused: false, attempts: 1 });
  });
});

describe('STDERR', () => {
  const seen = async (...records: Buffer[]): Promise<[string, string, string]> => {
    await using server = await sayingServer(Buffer.concat([...records, record(END, COMPLETE)]));
    await using pool = new Pool(server.address);
    let told = '';
    const onStderr = (chunk: Uint8Array): void => {
      told += Buffer.from(chunk).toString();
    };
    const response = await pool.request({ params: GET, onStderr });
    const body = await response.body.text();
    return [body, told, (await response.ended).stderr];
  };

  it.each([
    ['before the head', [record(STDERR, 'oops'), record(STDOUT, `${HEAD}ok`)]],
    [
      'inside the head',
      [record(STDOUT, 'Content-ty'), record(STDERR, 'oops'), record(STDOUT, 'pe: text/plain\r\n\r\nok')],
    ],
    ['inside the body', [record(STDOUT, `${HEAD}o`), record(STDERR, 'oops'), record(STDOUT, 'k')]],
    ['after the body', [record(STDOUT, `${HEAD}ok`), record(STDERR, 'oops')]],
  ])('%s is told apart from the response', async (_, records) => {
    expect(await seen(...records)).toEqual(['ok', 'oops', 'oops']);
  });

  it('of which there is much is kept to its last 8 KiB, and told in full', async () => {
    const lines = Array.from({ length: 20 }, (_, i) => record(STDERR, `${i}`.padEnd(1_000, '.')));
    const [, told, tail] = await seen(record(STDOUT, HEAD), ...lines);
    expect(told).toHaveLength(20_000);
    expect(tail).toBe(told.slice(-8_192));
  });

  it('is in the error of a request that fails', async () => {
    await using fpm = await startFakeFpm({
      script: async (_, response) => {
        await response.stderr('PHP Fatal error: out of memory');
        response.kill();
      },
    });
    await using pool = new Pool(fpm.address);
    await expect(pool.request({ params: GET })).rejects.toMatchObject({
      stderr: 'PHP Fatal error: out of memory',
      executed: 'yes',
    });
  });
});

describe('a response that is cut short', () => {
  it('errors, wherever it is cut, and never ends cleanly', async () => {
    const whole = Buffer.concat([
      record(STDOUT, `${HEAD}hello`, 3),
      record(STDOUT, ' world', 2),
      record(END, COMPLETE),
    ]);
    // Less than a header does not tell whose response it is: that case has a test of its own.
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 8, max: whole.length - 1 }), fc.boolean(), async (cut, abruptly) => {
        await using server = await rawServer((socket) => {
          socket.once('data', () => {
            socket.write(whole.subarray(0, cut), () => (abruptly ? socket.destroy() : socket.end()));
          });
        });
        await using pool = new Pool(server.address, { retry: 'always' });
        await expect(text(pool, { params: GET })).rejects.toMatchObject({ executed: 'yes', attempts: 1 });
        expect(pool.stats).toMatchObject({ connected: 0, served: 0 });
      }),
      { numRuns: 60 },
    );
  });

  it('comes through whole, however it is cut into writes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 0, max: 255 }),
        async (writeSize, recordSize, padding) => {
          await using fpm = await startFakeFpm({
            writeSize,
            recordSize,
            padding,
            script: (_, response) => response.stdout(`${HEAD}hello world`),
          });
          await using pool = new Pool(fpm.address);
          for (let i = 0; i < 2; i++) expect(await text(pool, { params: GET })).toBe('hello world');
          expect(fpm.accepted).toBe(1);
        },
      ),
      { numRuns: 15 },
    );
  });
});

it('whatever a server says, the pool answers or fails, keeps no spoilt socket, and serves the next request', async () => {
  const pieces = fc.constantFrom(
    record(STDOUT, HEAD),
    record(STDOUT, 'x'),
    record(STDOUT),
    record(STDERR, 'e'),
    record(END, COMPLETE),
    refused(2),
    otherId(record(END, COMPLETE)),
    Buffer.from([1, 6, 0]),
    Buffer.from('junk'),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(pieces, { minLength: 1, maxLength: 6 }), async (said) => {
      await using server = await rawServer((socket, nth) => {
        socket.on('data', () =>
          nth === 1 ? socket.end(Buffer.concat(said)) : socket.write(answer('fresh')),
        );
      });
      await using pool = new Pool(server.address, { retry: 'never' });
      await text(pool, { params: GET }).catch(() => 'failed');
      await waitFor(() => pool.stats.connected === 0);
      expect(await text(pool, { params: GET })).toBe('fresh');
      expect(server.sockets).toHaveLength(2);
    }),
    { numRuns: 100 },
  );
});
