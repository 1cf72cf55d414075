import { once } from 'node:events';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Body, DispatchController } from '../../../src/pool/dispatcher.ts';
import { BodyStream, type PlannedBody, planBody } from '../../../src/pool/request/body.ts';
import { StreamedBody } from '../../../src/pool/request/streamed-body.ts';

const MIB = 1024 * 1024;

async function* pieces(...all: (Uint8Array | string)[]): AsyncGenerator<Uint8Array | string> {
  yield* all;
}

async function plan(body: Body | undefined, contentLength?: string): Promise<PlannedBody> {
  const params = contentLength === undefined ? {} : { CONTENT_LENGTH: contentLength };
  const planned = planBody(body, params, MIB);
  return planned.kind === 'unread' ? planned.read : planned;
}

async function drain(stream: BodyStream): Promise<string> {
  let text = '';
  for (let i = 0; ; i++) {
    const piece = await stream.piece(i);
    if (piece === null) return text;
    text += Buffer.from(piece).toString();
  }
}

describe('CONTENT_LENGTH', () => {
  it.each<[string, Body, number]>([
    ['a string counts as UTF-8', '\u00fc', 2],
    ['bytes', new Uint8Array(5), 5],
  ])('is added where it lacks: %s', async (_, body, length) => {
    expect(await plan(body)).toMatchObject({ kind: 'bytes', length, addLength: true });
  });

  it('is found out for a stream that ends within replayBuffer', async () => {
    expect(await plan(pieces('ab', Buffer.from('c')))).toMatchObject({
      kind: 'bytes',
      length: 3,
      addLength: true,
    });
  });

  it('is required of a longer stream: PHP-FPM gives PHP no body without it', async () => {
    await expect(plan(pieces(Buffer.alloc(MIB), 'x'))).rejects.toMatchObject({
      code: 'FCGI_ERR_BODY_LENGTH_REQUIRED',
      option: 'params.CONTENT_LENGTH',
    });
  });

  it('a stream of just replayBuffer bytes needs none', async () => {
    expect(await plan(pieces(Buffer.alloc(MIB)))).toMatchObject({ length: MIB });
  });

  it('is not added where there is no body', async () => {
    for (const body of [null, undefined, '', new Uint8Array(0), pieces()]) {
      expect(await plan(body)).toMatchObject({ length: 0, addLength: false });
    }
  });

  it('an empty one, as gateways send it, is none', async () => {
    expect(await plan('abc', '')).toMatchObject({ length: 3, addLength: true });
  });

  it.each(['-1', '1.5', 'x', '1 ', '0x10', '1e3', '9'.repeat(20)])(
    '%j is no number of bytes',
    async (length) => {
      await expect(plan('abc', length)).rejects.toMatchObject({
        code: 'FCGI_ERR_INVALID_ARG',
        option: 'params.CONTENT_LENGTH',
      });
    },
  );

  it.each<[string, Body, string]>([
    ['longer', 'abcd', '3'],
    ['shorter', 'ab', '3'],
    ['missing', null, '3'],
  ])('a body that is %s fails before anything is sent', async (_, body, length) => {
    await expect(plan(body, length)).rejects.toMatchObject({ code: 'FCGI_ERR_BODY_LENGTH', executed: 'no' });
  });

  it.each([
    ['longer', ['ab', 'cd']],
    ['shorter', ['ab']],
  ])('a stream that is %s fails as soon as that is known', async (_, given) => {
    const body = await plan(pieces(...given), '3');
    if (body.kind !== 'stream') throw new Error('a stream of known length must stay a stream');
    await expect(drain(body.stream)).rejects.toMatchObject({ code: 'FCGI_ERR_BODY_LENGTH' });
  });

  it.each([
    ['empty', []],
    ['longer with its first piece', ['abcd']],
  ])('a stream that is %s fails before anything is sent', async (_, given) => {
    await expect(plan(pieces(...given), '3')).rejects.toMatchObject({ code: 'FCGI_ERR_BODY_LENGTH' });
  });
});

it.each([5, true, {}, ['a'], new ReadableStream().getReader()])('%j is no body', async (body) => {
  await expect(plan(body as unknown as Body)).rejects.toMatchObject({
    code: 'FCGI_ERR_INVALID_ARG',
    option: 'body',
  });
});

it.each([
  ['no iterator', 5],
  ['an iterator without next()', {}],
  ['an iterator whose next() gives nothing', { next: async () => undefined }],
  ['an iterator whose next() gives no result', { next: async () => 'a' }],
])('an iterable that gives %s fails by name', async (_, iterator) => {
  const body = { [Symbol.asyncIterator]: () => iterator } as unknown as Body;
  await expect(plan(body)).rejects.toMatchObject({ code: 'FCGI_ERR_INVALID_ARG', option: 'body' });
});

describe('a stream that somebody has read to its end', () => {
  it.each<[string, () => Promise<Body>]>([
    [
      'of Node',
      async () => {
        const stream = Readable.from(['abc']);
        await stream.toArray();
        return stream;
      },
    ],
    [
      'of the web',
      async () => {
        const stream = new Blob(['abc']).stream();
        for await (const _ of stream);
        return stream as Body;
      },
    ],
    [
      'of a response, whole by text()',
      async () => {
        const controller = { abort() {}, pause() {}, resume() {} } as unknown as DispatchController;
        const stream = new StreamedBody(controller, 0, '');
        stream.accept(Buffer.from('abc'));
        stream.finish();
        await stream.text();
        return stream;
      },
    ],
  ])('%s is refused: PHP would get an empty body', async (_, read) => {
    await expect(plan(await read())).rejects.toMatchObject({
      code: 'FCGI_ERR_INVALID_ARG',
      option: 'body',
      executed: 'no',
    });
  });

  it('is none where it had nothing to give, nor where something is left', async () => {
    const empty = Readable.from([]);
    await empty.toArray();
    expect(await plan(empty)).toMatchObject({ length: 0 });
    const begun = Readable.from([Buffer.from('ab'), Buffer.from('cde')]);
    await once(begun, 'readable');
    begun.read();
    expect(await plan(begun)).toMatchObject({ length: 3 });
  });
});

it.each([
  [['a\ud83d', '\ude00b'], 'a\u{1f600}b'],
  [['\ud83d', '', '\ude00'], '\u{1f600}'],
  [['\ud83d', new Uint8Array(0), '\ude00'], '\ufffd\ufffd'],
  [['a\ud83d'], 'a\ufffd'],
  [['\ud83d', Buffer.from('b')], '\ufffdb'],
  [['\ud83d\ud83d', '\ude00'], '\ufffd\u{1f600}'],
])('strings %j are %j: a character that is cut in two is put together again', async (given, expected) => {
  const length = Buffer.byteLength(expected);
  const body = await plan(pieces(...given), String(length));
  expect(body.kind === 'stream' && (await drain(body.stream))).toBe(expected);
  expect(await plan(pieces(...given))).toMatchObject({ length, bytes: Buffer.from(expected) });
  const short = await plan(pieces(...given), String(length + 1));
  await expect(short.kind === 'stream' && drain(short.stream)).rejects.toMatchObject({
    code: 'FCGI_ERR_BODY_LENGTH',
  });
});

it('bytes of a class that gives no bytes of its own kind are bytes', async () => {
  class Odd extends Uint8Array {
    static get [Symbol.species](): never {
      return Array as never;
    }
  }
  const body = await plan(new Odd([1, 2, 3]));
  expect(body.kind === 'bytes' && body.bytes.subarray(1)).toEqual(Buffer.from([2, 3]));
});

it('bytes whose memory has been transferred before the call are gone, which is said', async () => {
  const body = new Uint8Array(3);
  structuredClone(body, { transfer: [body.buffer] });
  await expect(plan(body)).rejects.toMatchObject({ code: 'FCGI_ERR_INVALID_ARG', option: 'body' });
});

it('a stream that gives something else than bytes or strings fails by name', async () => {
  await expect(plan(pieces(5 as unknown as string))).rejects.toMatchObject({
    code: 'FCGI_ERR_INVALID_ARG',
    option: 'body',
  });
});

describe('a body given as a stream', () => {
  it('can be read from its start again while it is inside replayBuffer, however it was cut and wherever the first reader stopped', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string(), { maxLength: 8 }), fc.nat(8), async (given, stop) => {
        const stream = new BodyStream(pieces(...given), MIB, null);
        for (let i = 0; i < stop; i++) if ((await stream.piece(i)) === null) break;
        expect(stream.replayable).toBe(true);
        expect(await drain(stream)).toBe(given.join(''));
        expect(await drain(stream)).toBe(given.join(''));
      }),
    );
  });

  it('is held no longer than replayBuffer, and says so', async () => {
    const stream = new BodyStream(pieces('abc', 'def'), 4, null);
    await stream.piece(0);
    expect(stream.replayable).toBe(true);
    await stream.piece(1);
    expect(stream.replayable).toBe(false);
  });

  it('loses nothing when a reader is given up while it waits', async () => {
    let give = (_: string): void => {};
    const source = (async function* (): AsyncGenerator<string> {
      yield await new Promise<string>((resolve) => {
        give = resolve;
      });
    })();
    const stream = new BodyStream(source, MIB, null);
    const first = stream.piece(0);
    const second = stream.piece(0);
    give('late');
    expect([await first, await second].map(String)).toEqual([
      String(Buffer.from('late')),
      String(Buffer.from('late')),
    ]);
    expect(await drain(stream)).toBe('late');
  });

  it('fails as its source fails', async () => {
    const source = (async function* (): AsyncGenerator<string> {
      yield 'a';
      throw new Error('the disk is gone');
    })();
    await expect(drain(new BodyStream(source, MIB, null))).rejects.toThrow('the disk is gone');
  });

  it('tells its source when no more is wanted, and survives a source that then fails', async () => {
    let told = 0;
    const source: AsyncIterable<string> = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false, value: 'a' }),
        return: async () => {
          told++;
          throw new Error('nobody cares');
        },
      }),
    };
    const stream = new BodyStream(source, MIB, null);
    await stream.piece(0);
    stream.cancel();
    stream.cancel();
    expect(told).toBe(1);
  });
});

describe('a stream that is read again from its start', () => {
  it('is whole, or says that it is not: never from its middle', async () => {
    const stream = new BodyStream(pieces('abc', 'def', 'ghi'), 4, 9);
    expect(stream.replayable).toBe(true);
    await stream.piece(0);
    // Too long to be held, as is known from the start: nothing is sent twice by mistake.
    expect(stream.replayable).toBe(false);
    await stream.piece(1);
    await expect(stream.piece(0)).rejects.toThrow(/beginning/);
    expect(Buffer.from((await stream.piece(2)) ?? []).toString()).toBe('ghi');
  });

  it('is what it was, though the source fills the same buffer again and again', async () => {
    const buffer = Buffer.alloc(3);
    const source = async function* (): AsyncGenerator<Uint8Array> {
      for (const text of ['abc', 'def']) {
        buffer.write(text);
        yield buffer;
      }
    };
    const stream = new BodyStream(source(), 100, 6);
    expect(await drain(stream)).toBe('abcdef');
    expect(await drain(stream)).toBe('abcdef');
  });

  it('goes on where a reader gave up while it waited', async () => {
    const stream = new BodyStream(pieces('abc', 'def'), 100, 6);
    void stream.piece(0);
    expect(await drain(stream)).toBe('abcdef');
  });
});

describe('a stream of known length, of which the first piece is read before anything is sent', () => {
  it.each([
    ['fits', MIB],
    ['does not fit', 2 * MIB],
  ])(
    'is whole all the same, and can be sent until some of it has been: a first piece that %s into replayBuffer',
    async (_, size) => {
      const body = await plan(pieces(Buffer.alloc(size, 'a'), 'b'), String(size + 1));
      if (body.kind !== 'stream') throw new Error('a stream of known length must stay a stream');
      expect(body.stream.replayable).toBe(true);
      expect((await body.stream.piece(0))?.length).toBe(size);
      expect(String(await body.stream.piece(1))).toBe('b');
      expect(await body.stream.piece(2)).toBe(null);
      expect(body.stream.replayable).toBe(false);
      await expect(body.stream.piece(0)).rejects.toThrow('beginning');
    },
  );

  it('is read no further than that', async () => {
    let given = 0;
    async function* source(): AsyncGenerator<string> {
      for (const piece of 'abc') {
        given++;
        yield piece;
      }
    }
    const body = await plan(source(), '3');
    expect(given).toBe(1);
    expect(body.kind === 'stream' && (await drain(body.stream))).toBe('abc');
  });

  it('rejects as its source does, where that cannot begin', async () => {
    const reason = new Error('no such file');
    async function* source(): AsyncGenerator<string> {
      if (reason) throw reason;
      yield '';
    }
    await expect(plan(source(), '3')).rejects.toBe(reason);
  });
});
