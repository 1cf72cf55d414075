import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Head, HeadParser } from '../../src/cgi/head.ts';
import { ProtocolError } from '../../src/errors.ts';

const roomy = 65_536;

function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** The head and the body of a whole response given in one piece. */
function parse(response: string, maxHeaderSize = roomy): Head & { body: string } {
  const parser = new HeadParser(maxHeaderSize);
  const chunk = bytes(response);
  const body = parser.push(chunk, 0, chunk.length);
  if (!parser.head) throw new Error('the head is not complete');
  return { ...parser.head, body: chunk.toString('latin1', body) };
}

function failure(response: string, maxHeaderSize = roomy): ProtocolError {
  try {
    parse(response, maxHeaderSize);
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('a head', () => {
  it('as PHP-FPM sends it has status 200 and its headers in lower case', () => {
    const head = parse('X-Powered-By: PHP/8.2.31\r\nContent-type: text/html; charset=UTF-8\r\n\r\n<p>');
    expect(head.statusCode).toBe(200);
    expect(head.statusText).toBe('');
    expect({ ...head.headers }).toEqual({
      'x-powered-by': 'PHP/8.2.31',
      'content-type': 'text/html; charset=UTF-8',
    });
    expect(head.rawHeaders).toEqual([
      'X-Powered-By',
      'PHP/8.2.31',
      'Content-type',
      'text/html; charset=UTF-8',
    ]);
    expect(head.body).toBe('<p>');
  });

  it.each([
    ['CRLF', 'A: 1\r\nB: 2\r\n\r\nbody'],
    ['bare LF', 'A: 1\nB: 2\n\nbody'],
    ['both in turn', 'A: 1\nB: 2\r\n\nbody'],
    ['both the other way', 'A: 1\r\nB: 2\n\r\nbody'],
  ])('may end its lines with %s', (_, response) => {
    const head = parse(response);
    expect(head.rawHeaders).toEqual(['A', '1', 'B', '2']);
    expect(head.body).toBe('body');
  });

  it('without any header is an empty line, as PHP sends it with default_mimetype = ""', () => {
    expect(parse('\r\nbody')).toMatchObject({ statusCode: 200, rawHeaders: [], body: 'body' });
  });

  it('leaves empty lines of the body to the body', () => {
    expect(parse('A: 1\r\n\r\n\r\n\r\nbody').body).toBe('\r\n\r\nbody');
  });
});

describe('a status line in place of Status, as PHP sends it with cgi.rfc2616_headers = 1', () => {
  it.each([
    ['HTTP/1.1 404 Not Found\r\n', 404, 'Not Found'],
    ['HTTP/1.0 404 Not Found\n', 404, 'Not Found'],
    ['HTTP/2 503\r\n', 503, ''],
    ['HTTP/1.1 404 \r\n', 404, ''],
    ['HTTP/1.1  404  Gone: for ever \r\n', 404, 'Gone: for ever'],
    ['HTTP/1.1 201 Created\r\nStatus: 500 Oh\r\n', 201, 'Created'],
    ['HTTP/1.1 200 OK\r\nLocation: /x\r\n', 200, 'OK'],
  ])('%j', (lines, status, text) => {
    const head = parse(`${lines}A: 1\r\n\r\nbody`);
    expect(head).toMatchObject({ statusCode: status, statusText: text, body: 'body' });
    expect(head.headers['a']).toBe('1');
  });

  it('may stand alone', () => {
    expect(parse('HTTP/1.1 404 Not Found\r\n\r\nbody')).toMatchObject({
      statusCode: 404,
      rawHeaders: [],
      body: 'body',
    });
  });
});

describe('Status', () => {
  it.each([
    ['404 Not Found', 404, 'Not Found'],
    ['404', 404, ''],
    ['404 ', 404, ''],
    ['200  OK', 200, 'OK'],
    ['299 gr\xfc\xdfe: b', 299, 'gr\xfc\xdfe: b'],
    ['100 Continue', 100, 'Continue'],
    ['999', 999, ''],
  ])('"%s" is %i', (value, code, text) => {
    const head = parse(`Status: ${value}\r\n\r\n`);
    expect(head.statusCode).toBe(code);
    expect(head.statusText).toBe(text);
  });

  it.each(['', '40', '4040', '099', '1000', '-404', '+40', '0x1', '4 04', 'OK', '404Not Found', '4\xb24'])(
    '"%s" is refused',
    (value) => {
      expect(failure(`Status: ${value}\r\n\r\n`).code).toBe('FCGI_ERR_HEAD_INVALID');
    },
  );

  it('is no header of HTTP, so it is in neither list', () => {
    const head = parse('STATUS: 201 Created\r\nA: 1\r\n\r\n');
    expect(head.rawHeaders).toEqual(['A', '1']);
    expect(Object.keys(head.headers)).toEqual(['a']);
  });

  it('counts the first time, as with nginx', () => {
    expect(parse('Status: 404 One\r\nStatus: 500 Two\r\n\r\n')).toMatchObject({
      statusCode: 404,
      statusText: 'One',
    });
  });

  it.each(['https://example.org/x', '/local', ''])(
    'is 302 where only a Location "%s" is given',
    (location) => {
      const head = parse(`Location: ${location}\r\n\r\n`);
      expect(head.statusCode).toBe(302);
      expect(head.headers['location']).toBe(location);
    },
  );

  it('wins over Location, before it or after it', () => {
    expect(parse('Status: 201\r\nLocation: /x\r\n\r\n').statusCode).toBe(201);
    expect(parse('Location: /x\r\nStatus: 201\r\n\r\n').statusCode).toBe(201);
  });
});

describe('headers', () => {
  it('that come twice are kept apart in an array, and in rawHeaders', () => {
    const head = parse('Vary: a\r\nLink: 1\r\nvary: b\r\nVARY: c\r\n\r\n');
    expect(head.headers['vary']).toEqual(['a', 'b', 'c']);
    expect(head.headers['link']).toBe('1');
    expect(head.rawHeaders).toEqual(['Vary', 'a', 'Link', '1', 'vary', 'b', 'VARY', 'c']);
  });

  it('Set-Cookie is an array even when it comes once', () => {
    // by its type as well
    const once: string[] | undefined = parse('Set-Cookie: a=1; Path=/\r\n\r\n').headers['set-cookie'];
    expect(once).toEqual(['a=1; Path=/']);
    expect(parse('Set-Cookie: a=1\r\nset-cookie: b=2\r\n\r\n').headers['set-cookie']).toEqual(['a=1', 'b=2']);
  });

  it('named like members of Object are headers like others', () => {
    const head = parse('__proto__: 1\r\nconstructor: 2\r\ntoString: 3\r\n__proto__: 4\r\n\r\n');
    expect(Object.entries(head.headers)).toEqual([
      ['__proto__', ['1', '4']],
      ['constructor', '2'],
      ['tostring', '3'],
    ]);
    expect(Object.hasOwn(Object.prototype, '1')).toBe(false);
  });

  it('keep colons, commas and quotes of a value', () => {
    expect(parse('Link: <http://[::1]:80/>; rel="a: b", c\r\n\r\n').headers['link']).toBe(
      '<http://[::1]:80/>; rel="a: b", c',
    );
  });

  it('lose blanks and tabs around a value, and only those: 0xa0 and 0x85 are bytes of UTF-8', () => {
    expect(parse('A: \t x y \t \r\n\r\n').headers['a']).toBe('x y');
    expect(parse('A:x\r\n\r\n').headers['a']).toBe('x');
    expect(parse('A: \t \r\n\r\n').headers['a']).toBe('');
    expect(parse('A: \xa0\x85\r\n\r\n').headers['a']).toBe('\xa0\x85');
  });

  it('keep each byte of a value as one char', () => {
    const utf8 = bytes('A: \xc3\xa9\xff\x80\x01\r\n\r\n');
    const parser = new HeadParser(roomy);
    parser.push(utf8, 0, utf8.length);
    expect(Buffer.from(String(parser.head?.headers['a']), 'latin1')).toEqual(
      Buffer.from('c3a9ff8001', 'hex'),
    );
  });
});

describe('a name that HTTP does not have', () => {
  it.each(['X-\xc3\x9cber', '\xc3\xa9', 'X(1)', 'a[b]', 'X-Path/To', 'b<c>'])(
    'costs no page, as with nginx: %j is among rawHeaders only',
    (name) => {
      const head = parse(`A: 1\r\n${name}: x\r\nB: 2\r\n\r\nbody`);
      expect({ ...head.headers }).toEqual({ a: '1', b: '2' });
      expect(head.rawHeaders).toEqual(['A', '1', name, 'x', 'B', '2']);
      expect(head.body).toBe('body');
    },
  );
});

describe('a line is refused, and named, that', () => {
  it.each([
    ['has no colon', 'A: 1\r\nfoo bar\r\nB: 2\r\n\r\n', '"foo bar"'],
    ['is HTTP, and not the first', 'A: 1\r\nHTTP/1.1 200 OK\r\n\r\n', '"HTTP/1.1 200 OK"'],
    ['is HTTP without a status', 'HTTP/1.1 OK\r\nA: 1\r\n\r\n', '"HTTP/1.1 OK"'],
    ['is HTTP with a status of four digits', 'HTTP/1.1 2000 OK\r\nA: 1\r\n\r\n', '"HTTP/1.1 2000 OK"'],
    ['is HTML', '<b>Warning</b>: x\r\n\r\n', '"<b>Warning</b>: x"'],
    ['continues another (obs-fold)', 'A: 1\r\n 2: x\r\n\r\n', '" 2: x"'],
    ['continues another with a tab', 'A: 1\r\n\tx\r\n\r\n', '"\\x09x"'],
    ['has a blank before the colon', 'A : 1\r\n\r\n', '"A : 1"'],
    ['has an empty name', ': 1\r\n\r\n', '": 1"'],
    ['has a NUL in its value', 'B: 1\r\nA: x\0y\r\n\r\n', '"A: x\\x00y"'],
    ['has a NUL in its name', 'A\0: x\r\n\r\n', '"A\\x00: x"'],
    ['has a CR in its value', 'A: x\rSet-Cookie: y\r\n\r\n', '"A: x\\x0dSet-Cookie: y'],
    ['has a CR before its CRLF', 'A: x\r\r\n\r\n', '"A: x\\x0d'],
    ['begins with a CR', 'A: x\r\n\rB: y\r\n\r\n', '"\\x0dB: y'],
  ])('%s', (_, response, named) => {
    const error = failure(response);
    expect(error.code).toBe('FCGI_ERR_HEAD_INVALID');
    expect(error.message).toContain(named);
  });

  it('is long, but not with all of it', () => {
    const { message } = failure(`${'x'.repeat(10_000)}\r\n\r\n`);
    expect(message).toContain(`${'x'.repeat(80)}..."`);
    expect(message.length).toBeLessThan(200);
  });
});

describe('maxHeaderSize', () => {
  const head = 'A: 12345\r\n\r\n';

  it('is the size of the largest head taken, its empty line included', () => {
    expect(parse(`${head}body`, head.length).body).toBe('body');
    expect(failure(`${head}body`, head.length - 1).code).toBe('FCGI_ERR_HEAD_TOO_LARGE');
  });

  it('stops a head that never ends, in whatever pieces it comes', () => {
    for (const size of [1, 7, 100]) {
      const parser = new HeadParser(1000);
      const piece = Buffer.alloc(size, 'a');
      let taken = 0;
      expect(() => {
        for (; taken < 10_000; taken += size) parser.push(piece, 0, size);
      }).toThrow(expect.objectContaining({ code: 'FCGI_ERR_HEAD_TOO_LARGE' }));
      expect(taken).toBeLessThanOrEqual(1000);
    }
  });
});

describe('a parser', () => {
  it('keeps nothing of a response after reset, finished or not', () => {
    const parser = new HeadParser(roomy);
    const whole = bytes('Status: 404 Not Found\r\nA: 1\r\n\r\n');
    parser.push(whole, 0, whole.length);
    parser.reset();
    expect(parser.head).toBeNull();
    const part = bytes('Status: 500\r\nB: 2\r\n\r');
    expect(parser.push(part, 0, part.length)).toBe(-1);
    parser.reset();
    const next = bytes('C: 3\n\n');
    expect(parser.push(next, 0, next.length)).toBe(next.length);
    expect(parser.head).toMatchObject({ statusCode: 200, statusText: '', rawHeaders: ['C', '3'] });
  });

  it('finds the empty line wherever it lies in a head of kilobytes, and the body behind it', () => {
    for (const end of ['\n\n', '\r\n\r\n', '\r\n\n']) {
      for (let length = 1000; length < 2100; length++) {
        const value = 'v'.repeat(length);
        expect(parse(`A: ${value}${end}\n\r\nbody`)).toMatchObject({
          headers: { a: value },
          body: '\n\r\nbody',
        });
      }
    }
  });

  it('looks only between start and end', () => {
    const parser = new HeadParser(roomy);
    const chunk = bytes('\n\nA: 1\r\n\r\n');
    expect(parser.push(chunk, 2, 8)).toBe(-1);
    expect(parser.push(chunk, 8, 8)).toBe(-1);
    expect(parser.push(chunk, 8, 10)).toBe(10);
    expect(parser.head?.rawHeaders).toEqual(['A', '1']);
  });

  it('does not mind that a chunk it has seen is overwritten', () => {
    const parser = new HeadParser(roomy);
    const chunk = bytes('A: 1');
    parser.push(chunk, 0, chunk.length);
    chunk.fill('!');
    const rest = bytes('2\r\n\r\n');
    parser.push(rest, 0, rest.length);
    expect(parser.head?.headers['a']).toBe('12');
  });

  const eol = fc.constantFrom('\r\n', '\n');
  const name = fc
    .stringMatching(/^[!#-'*+.^_`|~0-9A-Za-z-]{1,12}$/)
    .filter((text) => text.toLowerCase() !== 'status');
  const value = fc
    .array(fc.integer({ min: 1, max: 255 }), { maxLength: 30 })
    .map((codes) => String.fromCharCode(...codes).replace(/[\r\n]/g, ':'))
    .map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ''));

  it('finds the same head and body however the response is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.tuple(name, value), eol), { maxLength: 8 }),
        eol,
        fc.string({ maxLength: 20 }),
        fc.array(fc.nat(300), { maxLength: 12 }),
        (lines, last, body, cuts) => {
          const head = lines.map(([[n, v], end]) => `${n}: ${v}${end}`).join('') + last;
          const chunk = bytes(head + body);
          const borders = [
            0,
            ...cuts.filter((cut) => cut < chunk.length).sort((a, b) => a - b),
            chunk.length,
          ];
          const parser = new HeadParser(roomy);
          let bodyAt = -1;
          for (let i = 1; i < borders.length && bodyAt === -1; i++) {
            bodyAt = parser.push(chunk, borders[i - 1] ?? 0, borders[i] ?? 0);
          }
          expect(bodyAt).toBe(head.length);
          expect(parser.head?.rawHeaders).toEqual(lines.flatMap(([pair]) => pair));
          expect(parser.head?.headers).toEqual(parse(head + body).headers);
        },
      ),
      { numRuns: 500 },
    );
  });
});
