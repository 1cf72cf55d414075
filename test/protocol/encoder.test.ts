import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeStdin,
  encodeStdinTerminator,
  type Params,
  RequestEncoder,
  type RequestEncoding,
} from '../../src/protocol/index.ts';
import { failure, hex, splitRecords } from './support/bytes.ts';

const PARAMS = 4;
const STDIN = 5;

function encoding(params: Params, rest: Partial<RequestEncoding> = {}): RequestEncoding {
  return {
    params,
    keepConn: false,
    terminateFirst: false,
    stdin: null,
    terminateLast: false,
    contentLength: null,
    ...rest,
  };
}

/** Pairs of one record, read by hand. Throws where one goes beyond it. */
function readPairs(content: Buffer): [string, Buffer][] {
  const pairs: [string, Buffer][] = [];
  for (let at = 0; at < content.length; ) {
    const lengths = [0, 0].map(() => {
      const long = content.readUInt8(at) > 127;
      const length = long ? content.readUInt32BE(at) - 0x8000_0000 : content.readUInt8(at);
      at += long ? 4 : 1;
      return length;
    });
    const [nameLength = 0, valueLength = 0] = lengths;
    if (at + nameLength + valueLength > content.length) throw new Error('a pair crosses two records');
    const name = content.toString('utf8', at, at + nameLength);
    pairs.push([name, content.subarray(at + nameLength, at + nameLength + valueLength)]);
    at += nameLength + valueLength;
  }
  return pairs;
}

/** The types of a request's records, and what its params and its body are for a server that reads record by record. */
function read(bytes: Buffer): {
  types: number[];
  sizes: number[];
  params: [string, Buffer][];
  stdin: Buffer;
} {
  const records = splitRecords(bytes);
  const of = (type: number): Buffer[] =>
    records.filter((one) => one.type === type).map(({ content }) => content);
  return {
    types: records.map(({ type }) => type),
    sizes: of(PARAMS).map(({ length }) => length),
    params: of(PARAMS).flatMap(readPairs),
    stdin: Buffer.concat(of(STDIN)),
  };
}

function expectedParams(params: Params): [string, Buffer][] {
  return Object.entries(params).map(([name, value]) => [name, Buffer.from(value)]);
}

/** Strings are compared a thousand times as fast as buffers. */
function latin1(pairs: [string, Buffer][]): [string, string][] {
  return pairs.map(([name, value]) => [name, value.toString('latin1')]);
}

describe('a request', () => {
  it('is the bytes of the example in appendix B of the specification', () => {
    const bytes = new RequestEncoder().encode(
      encoding({ SERVER_PORT: '80', SERVER_ADDR: '199.170.183.42' }, { terminateLast: true }),
    );
    expect(bytes).toEqual(
      Buffer.concat([
        hex('01 01 0001 0008 00 00  0001 00 0000000000'),
        hex('01 04 0001 002a 00 00'),
        Buffer.from('\x0b\x02SERVER_PORT80\x0b\x0eSERVER_ADDR199.170.183.42'),
        hex('01 04 0001 0000 00 00'),
        hex('01 05 0001 0000 00 00'),
      ]),
    );
  });

  it('may ask for the connection to be kept, carry its body, and end the body before it', () => {
    const bytes = new RequestEncoder().encode(
      encoding({ A: 'b' }, { keepConn: true, terminateFirst: true, stdin: Buffer.from('hi') }),
    );
    expect(bytes).toEqual(
      hex(`01 05 0001 0000 00 00
           01 01 0001 0008 00 00  0001 01 0000000000
           01 04 0001 0004 00 00  01 01 41 62
           01 04 0001 0000 00 00
           01 05 0001 0002 00 00  68 69`),
    );
  });

  it('without params sends the empty PARAMS once', () => {
    const bytes = new RequestEncoder().encode(encoding({}));
    expect(bytes).toEqual(hex('01 01 0001 0008 00 00  0001 00 0000000000  01 04 0001 0000 00 00'));
  });

  it('without a body sends no STDIN, for an empty record would end it', () => {
    const types = read(new RequestEncoder().encode(encoding({}, { stdin: Buffer.alloc(0) }))).types;
    expect(types).toEqual([1, PARAMS]);
  });

  it('carries the CONTENT_LENGTH that was found out, after the params', () => {
    const { params } = read(new RequestEncoder().encode(encoding({ A: 'b' }, { contentLength: 12 })));
    expect(params).toEqual(expectedParams({ A: 'b', CONTENT_LENGTH: '12' }));
    const alone = read(new RequestEncoder().encode(encoding({}, { contentLength: 0 })));
    expect(alone.params).toEqual(expectedParams({ CONTENT_LENGTH: '0' }));
  });

  it('leaves out params that are undefined, or that a prototype lends', () => {
    const params = Object.create({ INHERITED: 'x' });
    Object.assign(params, { A: 'b', NONE: undefined });
    expect(read(new RequestEncoder().encode(encoding(params))).params).toEqual(expectedParams({ A: 'b' }));
  });

  it('begins a new PARAMS record before a pair that does not fit, never within one', () => {
    // Pairs of 10 + 5, 65,513 and 15 bytes: 65,528 in the first record, and the third in the second.
    const params = { AAAAAAAA: 'aaaaa', B: 'b'.repeat(65_507), CCCCCCCC: 'ccccc' };
    const { types, sizes, params: came } = read(new RequestEncoder().encode(encoding(params)));
    expect(types).toEqual([1, PARAMS, PARAMS, PARAMS]);
    expect(sizes).toEqual([65_528, 15, 0]);
    expect(latin1(came)).toEqual(latin1(expectedParams(params)));

    // One byte more, and neither neighbour fits beside it.
    const longer = { ...params, B: 'b'.repeat(65_508) };
    expect(read(new RequestEncoder().encode(encoding(longer))).sizes).toEqual([15, 65_514, 15, 0]);
  });

  it('may have pairs of 65,528 bytes, each in a record of its own', () => {
    const value = 'v'.repeat(65_522);
    const params = { A: value, B: value, C: 'c', D: Buffer.from(value) };
    const { sizes, params: came } = read(new RequestEncoder().encode(encoding(params)));
    expect(sizes).toEqual([65_528, 65_528, 4, 65_528, 0]);
    expect(latin1(came)).toEqual(latin1(expectedParams(params)));
  });

  it.each([
    ['a pair of 65,529 bytes', { A: 'v'.repeat(65_523) }, {}, 'FCGI_ERR_PARAM_TOO_LARGE', 'params.A'],
    ['NUL in a value', { A: 'x\0' }, {}, 'FCGI_ERR_INVALID_ARG', 'params.A'],
    ['a value that is a number', { A: 80 as unknown as string }, {}, 'FCGI_ERR_INVALID_ARG', 'params.A'],
    ['a body larger than a record', {}, { stdin: Buffer.alloc(65_529) }, 'FCGI_ERR_INVALID_ARG', 'stdin'],
  ])('with %s is refused, and nothing of it is encoded', (_what, params, rest, code, option) => {
    const encoder = new RequestEncoder();
    const before = encoder.encode(encoding({ BEFORE: 'x' }));
    const copy = Buffer.from(before);
    expect(failure(() => encoder.encode(encoding({ FIRST: 'y', ...params }, rest)))).toMatchObject({
      code,
      option,
    });
    const after = encoder.encode(encoding({ AFTER: 'z' }));
    expect(before.equals(copy)).toBe(true);
    expect(read(after)).toMatchObject({ types: [1, PARAMS, PARAMS], params: expectedParams({ AFTER: 'z' }) });
  });

  it('may have a body of 65,528 bytes in it', () => {
    const stdin = Buffer.alloc(65_528, 'x');
    const bytes = new RequestEncoder().encode(encoding({}, { stdin, terminateLast: true }));
    expect(splitRecords(bytes).map(({ type, content }) => [type, content.length])).toEqual([
      [1, 8],
      [PARAMS, 0],
      [STDIN, 65_528],
      [STDIN, 0],
    ]);
    expect(read(bytes).stdin.equals(stdin)).toBe(true);
  });

  it('does not change when the caller changes the body afterwards', () => {
    const stdin = Buffer.from('before');
    const bytes = new RequestEncoder().encode(encoding({}, { stdin }));
    stdin.fill('x');
    expect(read(bytes).stdin.toString()).toBe('before');
  });
});

describe('an encoder', () => {
  it.each([
    [
      'many small pairs',
      Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`NAME_${i}`, `${i}`])),
      [4],
    ],
    ['more than a record of params', { A: 'a'.repeat(50_000), B: 'b'.repeat(50_000), C: 'c' }, [4, 4]],
    ['pairs as large as a record', { A: 'a'.repeat(65_522), B: 'b' }, [4, 4]],
    ['params in UTF-8', { A: 'é'.repeat(100), B: '€'.repeat(100) }, [4]],
  ])('writes the same bytes wherever its memory of 4 KiB ends: %s', (_what, params, paramsTypes) => {
    const bare = new RequestEncoder().encode(encoding(params));
    expect(read(bare).types).toEqual([1, ...paramsTypes, PARAMS]);
    for (let step = 0; step < 380; step++) {
      const filled = { FILL: 'f'.repeat(11 * step), ...params };
      const request = encoding(filled, { terminateFirst: true, stdin: Buffer.from('body') });
      const encoder = new RequestEncoder();
      const first = encoder.encode(request);
      expect(latin1(read(first).params)).toEqual(latin1(expectedParams(filled)));
      // The memory has grown: the same request fits into it now.
      const copy = Buffer.from(first);
      encoder.reclaim(encoder.memory);
      expect(encoder.encode(request).equals(copy)).toBe(true);
    }
  });

  it('writes the next request to the memory that it was given back, and to no other', () => {
    const encoder = new RequestEncoder();
    const kept = encoder.encode(encoding({ A: 'kept' }));
    const copy = Buffer.from(kept);
    const given = encoder.encode(encoding({ A: 'given' }));
    encoder.reclaim(encoder.memory);
    expect(encoder.encode(encoding({ A: 'next' })).buffer).toBe(given.buffer);
    expect(encoder.encode(encoding({ A: 'after' })).buffer).not.toBe(given.buffer);
    expect(kept.equals(copy)).toBe(true);
  });

  it('keeps no memory of more than 64 KiB', () => {
    const encoder = new RequestEncoder();
    const large = encoder.encode(encoding({ A: 'a'.repeat(60_000) }));
    encoder.reclaim(encoder.memory);
    expect(encoder.encode(encoding({ A: 'b' })).buffer).not.toBe(large.buffer);
  });

  it('never writes again to what it returned', () => {
    const noNul = (text: string): boolean => !text.includes('\0');
    const value = fc.oneof(
      { weight: 6, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }).filter(noNul) },
      { weight: 2, arbitrary: fc.uint8Array({ min: 1, maxLength: 300 }) },
      { weight: 1, arbitrary: fc.nat({ max: 65_000 }).map((length) => 'v'.repeat(length)) },
      { weight: 1, arbitrary: fc.nat({ max: 32_000 }).map((length) => 'é'.repeat(length)) },
    );
    const request = fc.record({
      params: fc.dictionary(fc.stringMatching(/^[A-Z_]{1,12}$/), value, { maxKeys: 6 }),
      keepConn: fc.boolean(),
      terminateFirst: fc.boolean(),
      terminateLast: fc.boolean(),
      contentLength: fc.constant(null),
      stdin: fc.option(fc.nat({ max: 65_528 }).map((length) => Buffer.alloc(length, length))),
    });
    fc.assert(
      fc.property(fc.array(request, { minLength: 1, maxLength: 12 }), (requests) => {
        const encoder = new RequestEncoder();
        const encoded = requests.map((one) => ({ ...one, bytes: encoder.encode(one) }));
        for (const { bytes, params, stdin, terminateFirst, terminateLast } of encoded) {
          const came = read(bytes);
          expect(latin1(came.params)).toEqual(latin1(expectedParams(params)));
          expect(came.stdin.equals(stdin ?? Buffer.alloc(0))).toBe(true);
          expect(came.sizes.every((size) => size <= 65_528)).toBe(true);
          expect(came.types.at(0)).toBe(terminateFirst ? STDIN : 1);
          expect(came.types.at(-1) === STDIN).toBe(terminateLast || (stdin?.length ?? 0) > 0);
        }
      }),
      { numRuns: 40 },
    );
  });
});

it('the memory of a crowd of requests is given back, but that of a few hundred', () => {
  const encoder = new RequestEncoder();
  const encodeAll = (): ArrayBufferLike[] =>
    Array.from({ length: 1_000 }, () => encoder.params({ A: 'b' }).memory).map((memory) => {
      encoder.reclaim(memory);
      return memory.buffer;
    });
  const first = new Set(encodeAll());
  const again = Array.from({ length: 1_000 }, () => encoder.params({ A: 'b' }).memory.buffer);
  expect(again.filter((buffer) => first.has(buffer))).toHaveLength(256);
});

describe('params that are encoded once', () => {
  const frames: Partial<RequestEncoding>[] = [
    {},
    { requestId: 2, idBefore: 1, terminateFirst: true, keepConn: true },
    { requestId: 65_535, contentLength: 7, stdin: Buffer.from('1234567'), terminateLast: true },
    { requestId: 300, stdin: Buffer.alloc(65_528, 'x'), contentLength: 65_528 },
    { requestId: 4 },
  ];
  it.each<[string, Params]>([
    ['a few', { A: 'b', SCRIPT_FILENAME: '/srv/a.php' }],
    ['none', {}],
    [
      'several records of them',
      { A: 'a'.repeat(40_000), B: 'b'.repeat(40_000), C: 'c'.repeat(40_000), D: '' },
    ],
    ['a record that CONTENT_LENGTH does not fit into', { A: 'a'.repeat(65_510) }],
  ])('are the same request for each connection that they go out on: %s', (_, params) => {
    for (const isCopied of [false, true]) {
      const encoder = new RequestEncoder();
      let encoded = encoder.params(params);
      for (const frame of frames) {
        if (isCopied) encoded = encoder.copy(encoded);
        const bytes = encoder.complete(encoded, encoding({}, frame));
        expect(bytes.equals(new RequestEncoder().encode(encoding(params, frame)))).toBe(true);
      }
    }
  });

  it('leave what was sent as it was, once they are copied', () => {
    const encoder = new RequestEncoder();
    const encoded = encoder.params({ A: 'b' });
    const sent = encoder.complete(encoded, encoding({}, { requestId: 1 }));
    const before = Buffer.from(sent);
    encoder.complete(encoder.copy(encoded), encoding({}, { requestId: 9, terminateFirst: true }));
    expect(sent.equals(before)).toBe(true);
  });
});

describe('a body', () => {
  it('goes out in records of at most 65,528 bytes, none of them empty', () => {
    const body = Buffer.alloc(2 * 65_528 + 1, 'ab');
    const records = splitRecords(Buffer.concat(encodeStdin(body)));
    expect(records.map(({ type, id, content }) => [type, id, content.length])).toEqual([
      [STDIN, 1, 65_528],
      [STDIN, 1, 65_528],
      [STDIN, 1, 1],
    ]);
    expect(Buffer.concat(records.map(({ content }) => content)).equals(body)).toBe(true);
    expect(encodeStdin(body.subarray(0, 65_528)).length).toBe(2);
    expect(encodeStdin(Buffer.alloc(0))).toEqual([]);
  });

  it('is not copied', () => {
    const body = Buffer.from('abc');
    expect(encodeStdin(body)[1]?.buffer).toBe(body.buffer);
  });

  it('ends with the empty STDIN record of specification 5.3, in a buffer that is the caller’s own', () => {
    const terminator = encodeStdinTerminator();
    expect(terminator).toEqual(hex('01 05 0001 0000 00 00'));
    terminator.fill(0xff);
    expect(encodeStdinTerminator()).toEqual(hex('01 05 0001 0000 00 00'));
  });
});

describe('a request that is like those before it', () => {
  const name = fc.constantFrom('A', 'BB', 'HTTP_ACCEPT', 'HTTP_COOKIE', 'REMOTE_PORT', '1', '__proto__');
  const value = fc.oneof(
    fc.constantFrom('', 'x', 'text/html', 'ä', 'y'.repeat(200)),
    fc.constantFrom(Buffer.from('x'), Buffer.from([0xff])),
  );
  const params = fc.dictionary(name, value, { noNullPrototype: false });

  it('is encoded as if it were the first', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(params, fc.nat(40)), { maxLength: 20 }), (requests) => {
        const encoder = new RequestEncoder();
        for (const [one, times] of requests) {
          const expected = new RequestEncoder().encode(encoding(one));
          for (let i = 0; i <= times; i++) {
            const encoded = encoder.encode(encoding(one));
            expect(encoded.equals(expected)).toBe(true);
            encoder.reclaim(encoder.memory);
          }
        }
      }),
    );
  });

  it('is split at pair borders where its records are full', () => {
    const encoder = new RequestEncoder();
    const small = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`SMALL_${i}`, 's'.repeat(200)]));
    for (const length of [65_000, 60_000, 53_000, 40_000]) {
      const large = { LARGE: 'l'.repeat(length), ...small };
      for (let i = 0; i < 3; i++) {
        const records = splitRecords(encoder.encode(encoding(large))).filter(({ type }) => type === PARAMS);
        const pairs = records.flatMap(({ content }) => readPairs(content));
        expect(Object.fromEntries(pairs.map(([key, bytes]) => [key, bytes.toString()]))).toEqual(large);
      }
    }
  });

  it('takes nothing from a prototype, even where the one before it had that name as its own', () => {
    const encoder = new RequestEncoder();
    const names = (one: Params): string[] =>
      splitRecords(encoder.encode(encoding(one)))
        .filter(({ type }) => type === PARAMS)
        .flatMap(({ content }) => readPairs(content).map(([key]) => key));
    expect(names({ A: '1', B: '2' })).toEqual(['A', 'B']);
    expect(names(Object.assign(Object.create({ A: '1' }), { B: '2' }))).toEqual(['B']);
  });
});
