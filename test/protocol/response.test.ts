import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EndRequest, ResponseDecoder, refusal } from '../../src/protocol/index.ts';
import { cut, failure, hex, joinRecord } from './support/bytes.ts';

const STDOUT = 6;
const STDERR = 7;
const END = hex('01 03 0001 0008 00 00  00000000 00 000000');

class Listener {
  stdout = '';
  stderr = '';
  readonly ends: EndRequest[] = [];
  readonly decoder: ResponseDecoder = new ResponseDecoder({
    onStdout: (chunk, start, end) => {
      this.stdout += chunk.toString('latin1', start, end);
    },
    onStderr: (chunk, start, end) => {
      this.stderr += chunk.toString('latin1', start, end);
    },
    onEndRequest: (end) => {
      this.ends.push(end);
    },
  });

  /** A request has gone out and these bytes have come. */
  static after(...chunks: Buffer[]): Listener {
    const listener = new Listener();
    listener.decoder.begin();
    for (const chunk of chunks) listener.decoder.push(chunk);
    return listener;
  }
}

function stdout(text: string, padding = 0): Buffer {
  return joinRecord(STDOUT, Buffer.from(text), padding);
}

function stderr(text: string, padding = 0): Buffer {
  return joinRecord(STDERR, Buffer.from(text), padding);
}

function codeAfter(...chunks: Buffer[]): string {
  return failure(() => Listener.after(...chunks)).code;
}

describe('a response', () => {
  it('is read as in the examples of appendix B, the empty STDOUT and all', () => {
    const listener = Listener.after(
      stdout('Content-type: text/html\r\n\r\n<html>\n<head> ... '),
      stdout(''),
      END,
    );
    expect(listener.stdout).toBe('Content-type: text/html\r\n\r\n<html>\n<head> ... ');
    expect(listener.ends).toEqual([{ appStatus: 0, protocolStatus: 0 }]);
  });

  it('may have STDERR in between, and an appStatus', () => {
    const listener = Listener.after(
      stdout('Content-type: text/html\r\n\r\n<ht'),
      stderr('config error: missing SI_UID\n'),
      stdout('ml>\n<head> ... '),
      stdout(''),
      stderr(''),
      hex('01 03 0001 0008 00 00  000003aa 00 000000'),
    );
    expect(listener.stdout).toBe('Content-type: text/html\r\n\r\n<html>\n<head> ... ');
    expect(listener.stderr).toBe('config error: missing SI_UID\n');
    expect(listener.ends).toEqual([{ appStatus: 938, protocolStatus: 0 }]);
  });

  it('ends with END_REQUEST alone, as PHP-FPM sends it', () => {
    expect(Listener.after(Buffer.concat([stdout('x'), END])).ends.length).toBe(1);
    expect(Listener.after(END)).toMatchObject({ stdout: '', ends: [{ appStatus: 0 }] });
  });

  it('ends after the padding of END_REQUEST, and not before', () => {
    const listener = Listener.after(hex('01 03 0001 0008 02 00  00000000 00 000000 00'));
    expect(listener.ends).toEqual([]);
    listener.decoder.push(hex('00'));
    expect(listener.ends.length).toBe(1);
  });

  it('hands STDOUT on before its record is whole', () => {
    expect(Listener.after(stdout('hello').subarray(0, 10)).stdout).toBe('he');
  });

  it('is followed by the next one, of which it leaves nothing', () => {
    const listener = Listener.after(stdout('1'), stdout(''), stderr(''), END);
    listener.decoder.begin();
    const end = joinRecord(3, hex('00000007 02 000000'));
    listener.decoder.push(Buffer.concat([stdout('2'), stderr('3'), end]));
    expect(listener).toMatchObject({ stdout: '12', stderr: '3' });
    expect(listener.ends).toEqual([
      { appStatus: 0, protocolStatus: 0 },
      { appStatus: 7, protocolStatus: 2 },
    ]);
  });

  it('is at a border between its records only', () => {
    const { decoder } = Listener.after(stdout('1'));
    expect(decoder.atBorder).toBe(true);
    decoder.push(hex('01'));
    expect(decoder.atBorder).toBe(false);
  });

  it('is the same however its bytes are cut and padded', () => {
    const piece = fc.record({
      type: fc.constantFrom(STDOUT, STDERR),
      text: fc.string({ minLength: 1, maxLength: 50 }),
      padding: fc.nat({ max: 255 }),
    });
    const places = fc.array(fc.nat({ max: 1000 }), { maxLength: 40 });
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 8 }),
        fc.boolean(),
        fc.nat({ max: 0xffff_ffff }),
        places,
        (pieces, terminated, appStatus, cuts) => {
          const body = Buffer.alloc(8);
          body.writeUInt32BE(appStatus);
          const bytes = Buffer.concat([
            ...pieces.map(({ type, text, padding }) => joinRecord(type, Buffer.from(text), padding)),
            ...(terminated ? [stdout('', 3), stderr('')] : []),
            joinRecord(3, body, 7),
          ]);
          const listener = Listener.after(...cut(bytes, cuts));
          const sent = (type: number): string => {
            return pieces.map((one) => (one.type === type ? one.text : '')).join('');
          };
          expect(listener.stdout).toBe(sent(STDOUT));
          expect(listener.stderr).toBe(sent(STDERR));
          expect(listener.ends).toEqual([{ appStatus, protocolStatus: 0 }]);
        },
      ),
    );
  });
});

describe('what is not a response is refused', () => {
  it('by its version', () => {
    const { code, hint } = failure(() => Listener.after(Buffer.from('HTTP/1.1 400 Bad Request\r\n')));
    expect(code).toBe('FCGI_ERR_RECORD_VERSION');
    expect(hint).toContain('HTTP');
  });

  it('by the id of another request', () => {
    for (const id of [0, 2, 0x0100]) {
      expect(codeAfter(joinRecord(STDOUT, Buffer.from('x'), 0, id))).toBe('FCGI_ERR_RECORD_ID');
    }
  });

  it.each([10, 11])('by the type %i, which answers a question that nobody has asked', (type) => {
    expect(codeAfter(joinRecord(type, Buffer.alloc(8), 0, 0))).toBe('FCGI_ERR_RECORD_TYPE');
  });

  it.each([1, 2, 4, 5, 8, 9, 10, 11, 12, 255, 0])('by the type %i, which no response has', (type) => {
    expect(codeAfter(joinRecord(type, Buffer.alloc(8)))).toBe('FCGI_ERR_RECORD_TYPE');
  });

  it('by STDOUT or STDERR after the empty record that ended it', () => {
    expect(codeAfter(stdout(''), stdout('x'))).toBe('FCGI_ERR_RECORD_ORDER');
    expect(codeAfter(stdout(''), stdout(''))).toBe('FCGI_ERR_RECORD_ORDER');
    expect(codeAfter(stderr(''), stderr('x'))).toBe('FCGI_ERR_RECORD_ORDER');
    expect(Listener.after(stdout(''), stderr('still open'))).toMatchObject({ stderr: 'still open' });
  });

  it.each([0, 7, 9, 65_535])('by an END_REQUEST of %i bytes', (length) => {
    // The header is enough: nothing waits for the rest.
    const header = joinRecord(3, Buffer.alloc(length)).subarray(0, 8);
    expect(codeAfter(header)).toBe('FCGI_ERR_RECORD_LENGTH');
  });

  it('by bytes before any request has gone out', () => {
    const { decoder } = new Listener();
    decoder.push(Buffer.alloc(0));
    expect(failure(() => decoder.push(END)).code).toBe('FCGI_ERR_RECORD_TRAILING');
  });

  it.each([
    ['in a chunk of their own', [END, stdout('x')]],
    ['in the same chunk', [Buffer.concat([END, stdout('x')])]],
    ['and are no record', [Buffer.concat([END, Buffer.from('x')])]],
    ['as a second end', [END, END]],
  ])('by bytes behind its end that come %s, after the end has been told', (_how, chunks) => {
    const listener = new Listener();
    listener.decoder.begin();
    const push = (): void => {
      for (const chunk of chunks) listener.decoder.push(chunk);
    };
    expect(failure(push).code).toBe('FCGI_ERR_RECORD_TRAILING');
    expect(listener.ends.length).toBe(1);
    expect(listener.stdout).toBe('');
  });

  it('not yet by half a header behind its end, but there is no border', () => {
    const listener = Listener.after(Buffer.concat([END, hex('01')]));
    expect(listener.ends.length).toBe(1);
    expect(listener.decoder.atBorder).toBe(false);
  });

  it('by bytes behind its end even where the next request went out at once', () => {
    const decoder: ResponseDecoder = new ResponseDecoder({
      onStdout: () => expect.unreachable('they are taken for the next response'),
      onStderr: () => {},
      onEndRequest: () => decoder.begin(),
    });
    decoder.begin();
    expect(failure(() => decoder.push(Buffer.concat([END, stdout('x')]))).code).toBe(
      'FCGI_ERR_RECORD_TRAILING',
    );
  });

  it('without a crash, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (noise) => {
        const bytes = Buffer.concat([hex('01'), noise]);
        try {
          Listener.after(bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^FCGI_ERR_RECORD_/) });
        }
      }),
    );
  });
});

describe('END_REQUEST', () => {
  /** Of the request 1, which has ended, while 2 is due and `own` of it has come. */
  const endedAgain = (own: Buffer): number[] => {
    const ids: number[] = [];
    const nothing = (): void => {};
    const onEndedAgain = (id: number): void => void ids.push(id);
    const decoder = new ResponseDecoder({
      onStdout: nothing,
      onStderr: nothing,
      onEndRequest: nothing,
      onEndedAgain,
    });
    decoder.begin(1);
    decoder.push(END);
    decoder.begin(2);
    decoder.push(Buffer.concat([own, stdout('late'), END]));
    return ids;
  };

  it('of a request that had ended is told of, and is for nobody', () => {
    expect(endedAgain(Buffer.alloc(0))).toEqual([1]);
  });

  it('is not told of where the one that is due has begun to be answered under its own id', () => {
    expect(endedAgain(joinRecord(STDOUT, Buffer.from('x'), 0, 2))).toEqual([]);
  });

  it('with REQUEST_COMPLETE is no refusal', () => {
    expect(refusal({ appStatus: 255, protocolStatus: 0 })).toBe(null);
  });

  it.each([
    [1, 'FCGI_ERR_CANT_MPX_CONN'],
    [2, 'FCGI_ERR_OVERLOADED'],
    [3, 'FCGI_ERR_UNKNOWN_ROLE'],
    [4, 'FCGI_ERR_RECORD_ORDER'],
    [255, 'FCGI_ERR_RECORD_ORDER'],
  ])('with protocolStatus %i is the refusal %s', (protocolStatus, code) => {
    expect(refusal({ appStatus: 0, protocolStatus })).toMatchObject({ code });
  });
});
