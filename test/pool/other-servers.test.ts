/** Servers that are not PHP-FPM, and do things differently: learned within a few requests. */
import { describe, expect, it } from 'vitest';
import { Pool } from '../../src/pool/pool.ts';
import { waitFor } from '../fpm/support/wait.ts';
import { END, record, STDOUT } from '../testing/support/wire.ts';
import { COMPLETE, ended, GET, HEAD, POST, type RawServer, rawServer } from './support.ts';

/** Reads whole records, and calls back with each; `id` and `type` as they came. */
function records(onRecord: (type: number, id: number, length: number) => void): (chunk: Buffer) => void {
  let bytes = Buffer.alloc(0);
  return (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    while (bytes.length >= 8) {
      const length = 8 + bytes.readUInt16BE(4) + (bytes[6] ?? 0);
      if (bytes.length < length) return;
      const [type, id, content] = [bytes[1] ?? 0, bytes.readUInt16BE(2), bytes.readUInt16BE(4)];
      bytes = bytes.subarray(length);
      onRecord(type, id, content);
    }
  };
}

const head = (id: number): Buffer => record(STDOUT, `${HEAD}ok`, 0, id);
const end = (id: number): Buffer => record(END, COMPLETE, 0, id);

describe.each(['unix', 'tcp'] as const)(
  'a server that ends each connection behind its answer (%s)',
  (transport) => {
    it.each([
      ['FIN at once', 0, false],
      ['FIN after 5 ms', 5, false],
      ['closed at once', 0, true],
      ['closed after 3 ms', 3, true],
    ])(
      'none of 100 requests fails: %s',
      async (_, after, destroys) => {
        await using server = await rawServer((socket) => {
          socket.on(
            'data',
            records((type, id, length) => {
              if (type !== 4 || length > 0) return;
              socket.write(Buffer.concat([head(id), end(id)]), () => {
                setTimeout(() => (destroys ? socket.destroy() : socket.end()), after);
              });
            }),
          );
        }, transport);
        await using pool = new Pool(server.address);
        for (let i = 0; i < 100; i++) await ended(pool, { params: i % 3 === 0 ? POST : GET });
        expect(pool.stats.served).toBe(100);
      },
      20_000,
    );
  },
);

/** Refuses an empty STDIN in front of a request, as libfcgi does, and says nothing to FCGI_GET_VALUES. */
function strict(): Promise<RawServer> {
  return rawServer((socket) => {
    let open = 0;
    socket.on(
      'data',
      records((type, id, length) => {
        if (type === 1) open = id;
        else if (id !== 0 && id !== open) socket.destroy();
        else if (type === 5 && length === 0) {
          socket.write(Buffer.concat([head(id), end(id)]));
          open = 0;
        }
      }),
    );
  });
}

it('a server that refuses the stray end of input: connections are kept, and nothing fails', async () => {
  await using server = await strict();
  await using pool = new Pool(server.address, { keepaliveTime: 0 });
  const begun = performance.now();
  for (let i = 0; i < 200; i++)
    await ended(pool, { params: i % 2 === 0 ? GET : POST, body: i % 2 === 0 ? null : 'a=1' });
  expect(server.sockets.length).toBeLessThanOrEqual(3);
  expect(performance.now() - begun).toBeLessThan(3_000);
});

it('a server that answers under the id 1, whatever it was asked under: one request is left without an answer, and then none', async () => {
  const waiting: (() => void)[] = [];
  await using server = await rawServer((socket) => {
    socket.on(
      'data',
      records((type, _, length) => {
        if (type !== 4 || length > 0) return;
        waiting.push(() => socket.write(Buffer.concat([head(1), end(1)])));
        // The first four get connections of their own.
        if (server.sockets.length >= 4) for (const answer of waiting.splice(0)) answer();
      }),
    );
  });
  const options = { keepaliveTime: 0, keepaliveTimeout: 0 };
  await using pool = new Pool(server.address, options);
  // Four are kept: none of the others is used again.
  await Promise.all(Array.from({ length: 4 }, () => ended(pool, { params: GET })));
  await waitFor(() => pool.stats.busy === 0);
  const lost = ended(pool, { params: GET, headersTimeout: 300 });
  await expect(lost).rejects.toMatchObject({
    code: 'FCGI_ERR_HEADERS_TIMEOUT',
    executed: 'unknown',
    reused: true,
    hint: expect.stringContaining('mixed up'),
  });
  for (let i = 0; i < 12; i++) await ended(pool, { params: GET });
  expect(pool.stats).toMatchObject({ served: 16 });
});

it('a server that answers twice, late, and under the old id: the next request waits for its own answer', async () => {
  await using server = await rawServer((socket) => {
    socket.on(
      'data',
      records((type, id, length) => {
        if (type !== 4 || length > 0) return;
        if (id === 1) socket.write(Buffer.concat([head(1), end(1)]));
        else socket.write(Buffer.concat([head(1), end(1), head(id), end(id)]));
      }),
    );
  });
  await using pool = new Pool(server.address, { keepaliveTime: 0 });
  for (let i = 0; i < 12; i++) await ended(pool, { params: GET });
  expect(pool.stats).toMatchObject({ served: 12, retried: 0 });
});

it('a server that begins its answer and ends it only behind the end of input', async () => {
  await using server = await rawServer((socket) => {
    socket.on(
      'data',
      records((type, id, length) => {
        if (type === 4 && length === 0) socket.write(head(id));
        if (type === 5 && length === 0) socket.write(end(id));
      }),
    );
  });
  await using pool = new Pool(server.address);
  const times: number[] = [];
  for (let i = 0; i < 20; i++) {
    const begun = performance.now();
    await ended(pool, { params: GET });
    times.push(performance.now() - begun);
  }
  // The pool has to find out that it keeps connections, that it is not PHP-FPM, and what it waits for.
  // A pause behind each of them would be twelve; a busy machine makes one or another long.
  expect(times.slice(8).filter((time) => time > 40).length).toBeLessThan(6);
});

it.each(['auto', 'generic'] as const)(
  'backend %s: a server that ends its side without a byte has been asked once',
  async (backend) => {
    let asked = 0;
    await using server = await rawServer((socket) => {
      socket.on(
        'data',
        records((type, _, length) => {
          if (type !== 4 || length > 0) return;
          asked++;
          socket.end();
        }),
      );
    });
    await using pool = new Pool(server.address, { backend });
    await expect(pool.request({ params: POST, body: 'a=1' })).rejects.toMatchObject({
      executed: 'unknown',
      attempts: 1,
    });
    expect(asked).toBe(1);
  },
);

it('a server that ends each connection, and waits for the end of input of its POSTs only: learned without a long wait', async () => {
  await using server = await rawServer((socket) => {
    let request = 0;
    let hasBody = false;
    let isEnded = false;
    const read = records((type, id, length) => {
      if (type === 1) request = id;
      if (type === 5 && length > 0) hasBody = true;
      if (type === 5 && length === 0) isEnded = true;
    });
    socket.on('data', (chunk) => {
      read(chunk);
      // To FCGI_GET_VALUES it says nothing.
      if (request > 0 && (isEnded || !hasBody)) socket.end(Buffer.concat([head(request), end(request)]));
    });
  });
  await using pool = new Pool(server.address);
  const begun = performance.now();
  for (let i = 0; i < 40; i++)
    await ended(pool, i % 2 === 0 ? { params: GET } : { params: POST, body: 'a=1' });
  // One wait of 5 s would be too many; and the record goes out with the request from some time on.
  expect(performance.now() - begun).toBeLessThan(4_500);
  const late: number[] = [];
  for (let i = 0; i < 10; i++) {
    const sent = performance.now();
    await ended(pool, { params: POST, body: 'a=1' });
    late.push(performance.now() - sent);
  }
  expect(Math.min(...late)).toBeLessThan(50);
});
