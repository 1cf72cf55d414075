import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeParams, encodePairInto, pairBound } from '../../src/protocol/index.ts';
import { failure, hex } from './support/bytes.ts';

/** One pair in a buffer of exactly the bytes that `pairBound` asks for. */
function encodePair(name: string, value: string | Uint8Array): Buffer {
  const bytes = Buffer.alloc(pairBound(name, value), 0xaa);
  return bytes.subarray(0, encodePairInto(bytes, 0, name, value));
}

function decoded(bytes: Buffer): [string, string][] {
  return [...decodeParams(bytes)].map(([name, value]) => [name, value.toString('utf8')]);
}

describe('a name-value pair', () => {
  it('is the bytes of the example in appendix B of the specification', () => {
    expect(encodePair('SERVER_PORT', '80')).toEqual(Buffer.from('\x0b\x02SERVER_PORT80'));
    expect(encodePair('SERVER_ADDR', '199.170.183.42')).toEqual(
      Buffer.from('\x0b\x0eSERVER_ADDR199.170.183.42'),
    );
  });

  it('says a length below 128 in one byte and any other in four, the highest bit set', () => {
    const long = 'v'.repeat(128);
    expect(encodePair('n', 'v'.repeat(127)).subarray(0, 3)).toEqual(hex('01 7f 6e'));
    expect(encodePair('n', long).subarray(0, 6)).toEqual(hex('01 80000080 6e'));
    expect(encodePair(long, '').subarray(0, 6)).toEqual(hex('80000080 00 76'));
    expect(encodePair(long, long).subarray(0, 9)).toEqual(hex('80000080 80000080 76'));
    expect(encodePair('n', 'v'.repeat(0x0102 * 16)).subarray(0, 6)).toEqual(hex('01 80001020 6e'));
  });

  it('may have an empty value', () => {
    expect(encodePair('QUERY_STRING', '')).toEqual(Buffer.from('\x0c\x00QUERY_STRING'));
  });

  it('is UTF-8 where it is a string, with lengths in bytes', () => {
    expect(encodePair('é', '€𝄞')).toEqual(hex('02 07  c3a9  e282ac f09d849e'));
    // 127 units and 128 bytes: a length of units would be one byte long.
    expect(encodePair('n', `${'v'.repeat(126)}é`).subarray(0, 5)).toEqual(hex('01 80000080'));
  });

  it('replaces half a surrogate pair, which has no UTF-8', () => {
    expect(encodePair('n', '\ud834')).toEqual(hex('01 03 6e efbfbd'));
  });

  it('leaves bytes as they are', () => {
    expect(encodePair('n', hex('ff 80 c3'))).toEqual(hex('01 03 6e ff80c3'));
    expect(encodePair('n', new Uint8Array([0xe9]))).toEqual(hex('01 01 6e e9'));
  });

  it('of 65,528 bytes is encoded, whether it is ASCII, UTF-8 or bytes', () => {
    // Lengths of 1 and 4 bytes, a name of 1.
    const room = 65_528 - 5 - 1;
    expect(encodePair('n', 'v'.repeat(room)).length).toBe(65_528);
    expect(encodePair('n', 'é'.repeat(room / 2)).length).toBe(65_528);
    expect(encodePair('n', Buffer.alloc(room, 1)).length).toBe(65_528);
  });

  it.each([
    ['ASCII', 'v'.repeat(65_523)],
    ['UTF-8', `v${'é'.repeat(32_761)}`],
    ['bytes', Buffer.alloc(65_523, 1)],
    ['far too long', 'v'.repeat(5_000_000)],
  ])('of more than that is refused by its name: %s', (_what, value) => {
    const { code, option, message } = failure(() => encodePair('n', value));
    expect([code, option]).toEqual(['FCGI_ERR_PARAM_TOO_LARGE', 'params.n']);
    expect(message).toContain(value.length === 5_000_000 ? '5000006' : '65529');
  });

  it('with NUL in its name or value is refused by its name', () => {
    expect(failure(() => encodePair('a\0b', ''))).toMatchObject({
      code: 'FCGI_ERR_INVALID_ARG',
      option: 'params',
      message: 'the param name a\\u0000b contains NUL',
    });
    for (const value of ['\0', 'x\0', 'é\0', hex('61 00')]) {
      expect(failure(() => encodePair('NAME', value))).toMatchObject({
        code: 'FCGI_ERR_INVALID_ARG',
        option: 'params.NAME',
      });
    }
  });

  it('without a name is refused', () => {
    expect(failure(() => encodePair('', 'value')).code).toBe('FCGI_ERR_INVALID_ARG');
  });

  it.each([80, null, ['a'], {}, true])(
    'whose value is %j, from plain JavaScript, is refused by its name',
    (value) => {
      expect(failure(() => pairBound('PORT', value as unknown as string))).toMatchObject({
        code: 'FCGI_ERR_INVALID_ARG',
        option: 'params.PORT',
      });
    },
  );

  it('with a name of any length is named in the message by its start alone', () => {
    const { message, option } = failure(() => encodePair('N'.repeat(10_000), '\0'));
    expect(message.length).toBeLessThan(200);
    expect(option).toBe(`params.${'N'.repeat(60)}…`);
  });
});

describe('the pairs of a record', () => {
  it('are read as the specification wrote them', () => {
    expect(decoded(Buffer.from('\x0b\x02SERVER_PORT80\x0b\x0eSERVER_ADDR199.170.183.42'))).toEqual([
      ['SERVER_PORT', '80'],
      ['SERVER_ADDR', '199.170.183.42'],
    ]);
    expect(decoded(hex('80000001 80000001 6e 76'))).toEqual([['n', 'v']]);
    expect(decoded(Buffer.alloc(0))).toEqual([]);
  });

  it('of the same name leave the last one', () => {
    expect(decoded(hex('01 01 6e 31  01 01 6e 32'))).toEqual([['n', '2']]);
  });

  it('are views of the record, not copies', () => {
    const bytes = hex('01 01 6e 76');
    expect(decodeParams(bytes).get('n')?.buffer).toBe(bytes.buffer);
  });

  it.each([
    ['the value length is missing', '01', 0],
    ['the name is missing', '01 00', 0],
    ['the value is cut', '01 02 6e 76', 0],
    ['a length of four bytes is cut', '80 00 00', 0],
    ['the second length is cut', '01 80 00 00', 0],
    ['the second pair is cut', '01 01 6e 76  01 01 6e', 4],
    ['a length is larger than any record', '01 ffffffff 6e', 0],
  ])('are refused, with the byte, where %s', (_what, bytes, at) => {
    const { code, message } = failure(() => decodeParams(hex(bytes)));
    expect(code).toBe('FCGI_ERR_PARAMS');
    expect(message).toContain(`at byte ${at} `);
  });

  it('come back as they went out, for any names and values', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 200 }).filter((one) => !one.includes('\0'));
    const name = text.filter((one) => one.length > 0);
    const value = fc.oneof(text, fc.uint8Array({ min: 1, maxLength: 300 }));
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, value), { selector: ([one]) => one }), (pairs) => {
        const bytes = Buffer.concat(pairs.map(([one, content]) => encodePair(one, content)));
        const expected = pairs.map(([one, content]) => [one, Buffer.from(content)]);
        expect([...decodeParams(bytes)]).toEqual(expected);
      }),
    );
  });

  it('never read beyond the record, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          const values = [...decodeParams(bytes).values()];
          expect(values.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toMatchObject({ code: 'FCGI_ERR_PARAMS' });
        }
      }),
    );
  });
});
