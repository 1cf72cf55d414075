import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordDecoder } from '../../src/protocol/index.ts';
import { cut, failure, hex, joinRecord } from './support/bytes.ts';

interface Heard {
  type: number;
  id: number;
  length: number;
  content: Buffer;
  /** How many pieces the content came in. */
  pieces: number;
  ended: boolean;
}

class Listener {
  readonly records: Heard[] = [];
  /** What each record's end said of the chunk behind it. */
  readonly rests: number[] = [];
  readonly decoder: RecordDecoder = new RecordDecoder({
    onRecord: (type, id, length) => {
      this.records.push({ type, id, length, content: Buffer.alloc(0), pieces: 0, ended: false });
    },
    onContent: (chunk, start, end) => {
      const record = this.last;
      record.content = Buffer.concat([record.content, chunk.subarray(start, end)]);
      record.pieces += 1;
    },
    onRecordEnd: (rest) => {
      this.last.ended = true;
      this.rests.push(rest);
    },
  });

  get last(): Heard {
    const record = this.records.at(-1);
    if (!record) throw new Error('no record yet');
    return record;
  }

  push(...chunks: Buffer[]): this {
    for (const chunk of chunks) this.decoder.push(chunk);
    return this;
  }
}

const byte = fc.nat({ max: 0xff });
const record = fc.record({
  type: byte,
  id: fc.nat({ max: 0xffff }),
  content: fc.oneof(fc.constant(new Uint8Array(0)), fc.uint8Array({ maxLength: 60 })),
  padding: fc.oneof(fc.constant(0), fc.nat({ max: 20 }), fc.constant(255)),
});
const places = fc.array(fc.nat({ max: 600 }), { maxLength: 30 });

describe('the record decoder', () => {
  it('reads records out of one chunk', () => {
    const { records } = new Listener().push(
      hex('01 06 0001 0003 05 00  616263 0000000000  01 03 0102 0000 00 00'),
    );
    expect(records.map(({ type, id, content }) => [type, id, content.toString()])).toEqual([
      [6, 1, 'abc'],
      [3, 0x0102, ''],
    ]);
  });

  it('reads a record that comes byte by byte', () => {
    const bytes = hex('01 06 0001 0003 02 00  616263 0000');
    const listener = new Listener().push(...Array.from(bytes, (one) => Buffer.from([one])));
    expect(listener.records).toEqual([
      { type: 6, id: 1, length: 3, content: Buffer.from('abc'), pieces: 3, ended: true },
    ]);
  });

  it('hands content on as it arrives, and does not wait for the record', () => {
    const listener = new Listener().push(hex('01 06 0001 ffff 00 00 61'));
    expect(listener.last).toMatchObject({ content: Buffer.from('a'), ended: false });
    listener.push(Buffer.from('bc'));
    expect(listener.last).toMatchObject({ content: Buffer.from('abc'), pieces: 2, ended: false });
  });

  it('hands content on as a range of the very chunk, copying nothing', () => {
    const chunk = hex('01 06 0001 0002 00 00 6162');
    const seen: unknown[] = [];
    const decoder = new RecordDecoder({
      onRecord: () => {},
      onContent: (...range) => seen.push(...range),
      onRecordEnd: () => {},
    });
    decoder.push(chunk);
    expect(seen).toEqual([chunk, 8, 10]);
    expect(seen[0]).toBe(chunk);
  });

  it('ends a record after its padding, and not before', () => {
    const listener = new Listener().push(hex('01 06 0001 0001 02 00 61 00'));
    expect(listener.last.ended).toBe(false);
    listener.push(hex('00'));
    expect(listener.last.ended).toBe(true);
  });

  it('ends a record that is nothing but padding after it', () => {
    const listener = new Listener().push(hex('01 06 0001 0000 02 00 00'));
    expect(listener.last).toMatchObject({ pieces: 0, ended: false });
    expect(listener.push(hex('00')).last.ended).toBe(true);
  });

  it('says at the end of a record how much of the chunk comes behind it', () => {
    const listener = new Listener();
    listener.push(hex('01 06 0001 0000 00 00  01 06 0001 0001 00 00 61  01 06 0001 0001 01 00 61 00  01 06'));
    expect(listener.rests).toEqual([9 + 10 + 2, 10 + 2, 2]);
    listener.push(hex('0001 0000 00 00 01'));
    expect(listener.rests.at(-1)).toBe(1);
  });

  it('is at a border only where no record has begun that has not ended', () => {
    const { decoder } = new Listener();
    const bytes = hex('01 06 0001 0002 01 00  6162 00  01 06 0001 0000 00 00');
    const borders: number[] = [];
    expect(decoder.atBorder).toBe(true);
    for (let at = 0; at < bytes.length; at++) {
      decoder.push(bytes.subarray(at, at + 1));
      if (decoder.atBorder) borders.push(at + 1);
    }
    expect(borders).toEqual([11, 19]);
  });

  it('refuses another version at its very byte', () => {
    for (const bytes of ['00', '02', '48545450', '01 06 0001 0001 00 00 61 03']) {
      expect(failure(() => new Listener().push(hex(bytes))).code).toBe('FCGI_ERR_RECORD_VERSION');
    }
  });

  it('lets out what the sink throws', () => {
    const decoder = new RecordDecoder({
      onRecord: () => {
        throw new RangeError('enough');
      },
      onContent: () => {},
      onRecordEnd: () => {},
    });
    expect(() => decoder.push(hex('01 06 0001 0000 00 00'))).toThrow(new RangeError('enough'));
  });

  it('takes an empty chunk for nothing', () => {
    const listener = new Listener().push(Buffer.alloc(0));
    expect(listener.records).toEqual([]);
    expect(listener.decoder.atBorder).toBe(true);
  });

  it('reads the same records however the bytes are cut and padded', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 8 }), places, (records, cuts) => {
        const bytes = Buffer.concat(
          records.map(({ type, content, padding, id }) => joinRecord(type, content, padding, id)),
        );
        const listener = new Listener().push(...cut(bytes, cuts));
        expect(listener.records.map(({ pieces, ...heard }) => heard)).toEqual(
          records.map(({ type, id, content }) => {
            return { type, id, length: content.length, content: Buffer.from(content), ended: true };
          }),
        );
        expect(listener.decoder.atBorder).toBe(true);
      }),
    );
  });
});
