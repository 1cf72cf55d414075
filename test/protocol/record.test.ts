import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeBeginRequest,
  decodeEndRequest,
  decodeHeader,
  decodeUnknownType,
  encodeBeginRequest,
  encodeBeginRequestInto,
  encodeEndRequest,
  encodeEndRequestInto,
  encodeHeaderInto,
  encodeRecord,
  encodeUnknownTypeInto,
} from '../../src/protocol/index.ts';
import { failure, hex, joinRecord } from './support/bytes.ts';

const byte = fc.nat({ max: 0xff });
const uint16 = fc.nat({ max: 0xffff });
const uint32 = fc.nat({ max: 0xffff_ffff });

describe('a record header', () => {
  it('is the eight bytes of specification 3.3, big-endian', () => {
    const target = Buffer.alloc(10, 0xaa);
    expect(encodeHeaderInto(target, 1, 6, 0x0102, 0xfffe, 3)).toBe(9);
    expect(target).toEqual(hex('aa 01 06 0102 fffe 03 00 aa'));
  });

  it('is read from any offset', () => {
    expect(decodeHeader(hex('ff 01 05 ff00 0080 ff 00'), 1)).toEqual({
      type: 5,
      requestId: 0xff00,
      contentLength: 0x0080,
      paddingLength: 0xff,
    });
  });

  it('comes back as it went out, for every value that fits', () => {
    fc.assert(
      fc.property(byte, uint16, uint16, byte, (type, requestId, contentLength, paddingLength) => {
        const bytes = Buffer.alloc(8);
        encodeHeaderInto(bytes, 0, type, requestId, contentLength, paddingLength);
        expect(decodeHeader(bytes)).toEqual({ type, requestId, contentLength, paddingLength });
      }),
    );
  });

  it('of another version is refused', () => {
    expect(failure(() => decodeHeader(hex('00 06 0001 0000 00 00'))).code).toBe('FCGI_ERR_RECORD_VERSION');
    expect(failure(() => decodeHeader(hex('02 06 0001 0000 00 00'))).code).toBe('FCGI_ERR_RECORD_VERSION');
  });

  it('that is the start of an HTTP response is refused with the hint that it is one', () => {
    const { code, hint } = failure(() => decodeHeader(Buffer.from('HTTP/1.1 400 Bad Request')));
    expect(code).toBe('FCGI_ERR_RECORD_VERSION');
    expect(hint).toContain('HTTP');
  });

  it('that is shorter than eight bytes is a RangeError, not a header with holes', () => {
    expect(() => decodeHeader(hex('01 06 0001 00'))).toThrow(RangeError);
  });
});

describe('BEGIN_REQUEST', () => {
  it('is the sixteen bytes of specification 5.1 and appendix B', () => {
    // {FCGI_BEGIN_REQUEST, 1, {FCGI_RESPONDER, 0}} is the example of appendix B.
    expect(encodeBeginRequest(1, { role: 1, flags: 0 })).toEqual(
      hex('01 01 0001 0008 00 00  0001 00 0000000000'),
    );
    expect(encodeBeginRequest(1, { role: 1, flags: 1 })).toEqual(
      hex('01 01 0001 0008 00 00  0001 01 0000000000'),
    );
  });

  it('comes back as it went out, and clears what was in the buffer', () => {
    fc.assert(
      fc.property(uint16, byte, (role, flags) => {
        const bytes = Buffer.alloc(12, 0xaa);
        expect(encodeBeginRequestInto(bytes, 2, { role, flags })).toBe(10);
        expect(decodeBeginRequest(bytes, 2)).toEqual({ role, flags });
        expect(bytes.subarray(5, 10)).toEqual(hex('0000000000'));
        expect([bytes[1], bytes[10]]).toEqual([0xaa, 0xaa]);
      }),
    );
  });
});

describe('END_REQUEST', () => {
  it('is the sixteen bytes of specification 5.5', () => {
    expect(encodeEndRequest(1, { appStatus: 0, protocolStatus: 0 })).toEqual(
      hex('01 03 0001 0008 00 00  00000000 00 000000'),
    );
    expect(encodeEndRequest(0x0203, { appStatus: 938, protocolStatus: 2 })).toEqual(
      hex('01 03 0203 0008 00 00  000003aa 02 000000'),
    );
  });

  it('reads an appStatus with the highest bit as a positive number', () => {
    expect(decodeEndRequest(hex('ffffffff 00 000000')).appStatus).toBe(4_294_967_295);
    expect(decodeEndRequest(hex('80000000 03 000000'))).toEqual({
      appStatus: 2_147_483_648,
      protocolStatus: 3,
    });
  });

  it('comes back as it went out, and clears what was in the buffer', () => {
    fc.assert(
      fc.property(uint32, byte, (appStatus, protocolStatus) => {
        const bytes = Buffer.alloc(12, 0xaa);
        expect(encodeEndRequestInto(bytes, 2, { appStatus, protocolStatus })).toBe(10);
        expect(decodeEndRequest(bytes, 2)).toEqual({ appStatus, protocolStatus });
        expect(bytes.subarray(7, 10)).toEqual(hex('000000'));
        expect([bytes[1], bytes[10]]).toEqual([0xaa, 0xaa]);
      }),
    );
  });
});

describe('UNKNOWN_TYPE', () => {
  it('is the eight bytes of specification 4.2 and comes back as it went out', () => {
    const bytes = Buffer.alloc(10, 0xaa);
    expect(encodeUnknownTypeInto(bytes, 1, 0x2a)).toBe(9);
    expect(bytes).toEqual(hex('aa 2a 00000000000000 aa'));
    expect(decodeUnknownType(bytes, 1)).toBe(0x2a);
  });
});

describe('a whole record', () => {
  it('is header, content and as much padding as the header says', () => {
    expect(encodeRecord(6, 1, Buffer.from('abc'), 5)).toEqual(
      hex('01 06 0001 0003 05 00  616263 0000000000'),
    );
    expect(encodeRecord(5, 1)).toEqual(hex('01 05 0001 0000 00 00'));
  });

  it('holds up to 65,535 bytes and 255 of padding', () => {
    const content = Buffer.alloc(65_535, 0x78);
    const bytes = encodeRecord(6, 65_535, content, 255);
    expect(bytes.subarray(0, 8)).toEqual(hex('01 06 ffff ffff ff 00'));
    expect(bytes.length).toBe(8 + 65_535 + 255);
    expect(bytes.subarray(8, -255).equals(content)).toBe(true);
  });

  it.each([
    ['type', () => encodeRecord(256, 1)],
    ['type', () => encodeRecord(-1, 1)],
    ['requestId', () => encodeRecord(6, 65_536)],
    ['requestId', () => encodeRecord(6, 1.5)],
    ['content.length', () => encodeRecord(6, 1, Buffer.alloc(65_536))],
    ['paddingLength', () => encodeRecord(6, 1, Buffer.alloc(0), 256)],
  ])('with a %s that does not fit is refused by that name', (option, encode) => {
    expect(failure(encode)).toMatchObject({ code: 'FCGI_ERR_INVALID_ARG', option });
  });

  it('is what the specification says for any content and padding', () => {
    fc.assert(
      fc.property(byte, uint16, fc.uint8Array({ maxLength: 300 }), byte, (type, id, content, padding) => {
        const bytes = encodeRecord(type, id, content, padding);
        const zeroed = joinRecord(type, content, padding, id).fill(0, 8 + content.length);
        expect(bytes.equals(zeroed)).toBe(true);
      }),
    );
  });
});
