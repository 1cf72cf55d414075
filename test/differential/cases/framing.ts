/** Where a body ends. Two servers that do not agree here can be made to see two different requests (smuggling). */
import { one, post, request, type Theme } from '../support/case.ts';

const target = '/probe.php';
const form = 'Content-Type: application/x-www-form-urlencoded';

/** A POST with these lines and bytes after its head. */
function framed(headers: readonly string[], body: string): string {
  return request(target, { method: 'POST', headers: [form, ...headers], body });
}
const chunked = (body: string, more: readonly string[] = []): string =>
  framed(['Transfer-Encoding: chunked', ...more], body);
const length = (value: string, body: string): string => framed([`Content-Length: ${value}`], body);

export const framing: Theme = {
  theme: 'framing of bodies',
  cases: [
    one('Content-Length', length('3', 'a=1')),
    one('a Content-Length of 0', length('0', '')),
    one('neither length nor coding', framed([], '')),
    one('leading zeros', length('0003', 'a=1')),
    one('blanks around the length', length('  3  ', 'a=1')),
    one('a plus', length('+3', 'a=1')),
    one('a minus', length('-3', 'a=1')),
    one('-0', length('-0', '')),
    one('hexadecimal', length('0x3', 'a=1')),
    one('a fraction', length('3.0', 'a=1')),
    one('an empty length', length('', 'a=1')),
    one('letters', length('three', 'a=1')),
    one('two numbers', length('3 3', 'a=1')),
    one('a list of the same', length('3, 3', 'a=1')),
    one('a list of two', length('3, 5', 'a=1')),
    one('twice the same', framed(['Content-Length: 3', 'Content-Length: 3'], 'a=1')),
    one('twice, not the same', framed(['Content-Length: 3', 'Content-Length: 5'], 'a=1&b')),
    one('beyond 64 bits', length('99999999999999999999', 'a=1')),
    one('larger than any server takes', length('999999999999', 'a=1')),
    one('as GET with a body', request(target, { headers: ['Content-Length: 3'], body: 'a=1' })),
    one(
      'as HEAD with a body',
      request(target, { method: 'HEAD', headers: ['Content-Length: 3'], body: 'a=1' }),
    ),
    one(
      'as DELETE with a body',
      request(target, { method: 'DELETE', headers: ['Content-Length: 3'], body: 'a=1' }),
    ),
    one('shorter than what follows', `${length('1', 'a=1')}`),
    { name: 'cut short by a FIN', send: [length('10', 'a=1'), 'FIN'] },
    { name: 'cut short before its first byte', send: [length('10', ''), 'FIN'] },
    { name: 'a head cut short', send: ['POST /probe.php HTTP/1.1\r\nHost: exam', 'FIN'] },
    { name: 'nothing at all', send: ['FIN'] },

    one('chunked', chunked('3\r\na=1\r\n0\r\n\r\n')),
    one('chunked, empty', chunked('0\r\n\r\n')),
    one('chunked in three pieces', chunked('1\r\na\r\n1\r\n=\r\n1\r\n1\r\n0\r\n\r\n')),
    one('sizes in capitals and zeros', chunked('0A\r\na=12345678\r\n000\r\n\r\n')),
    one('sizes in small letters', chunked('a\r\na=12345678\r\n0\r\n\r\n')),
    one('chunk extensions', chunked('3;name=value\r\na=1\r\n0;x\r\n\r\n')),
    one('a quoted chunk extension', chunked('3;n="a;b"\r\na=1\r\n0\r\n\r\n')),
    one('trailers', chunked('3\r\na=1\r\n0\r\nX-Sum: 1\r\n\r\n', ['Trailer: X-Sum'])),
    one('a trailer that names the length', chunked('3\r\na=1\r\n0\r\nContent-Length: 9\r\n\r\n')),
    one('a blank after the size', chunked('3 \r\na=1\r\n0\r\n\r\n')),
    one('a blank before the size', chunked(' 3\r\na=1\r\n0\r\n\r\n')),
    one('a plus before the size', chunked('+3\r\na=1\r\n0\r\n\r\n')),
    one('a minus before the size', chunked('-3\r\na=1\r\n0\r\n\r\n')),
    one('0x before the size', chunked('0x3\r\na=1\r\n0\r\n\r\n')),
    one('an empty size', chunked('\r\na=1\r\n0\r\n\r\n')),
    one('a size that is no number', chunked('zz\r\na=1\r\n0\r\n\r\n')),
    one('a size beyond 64 bits', chunked('fffffffffffffffff\r\na=1\r\n0\r\n\r\n')),
    one('a chunk longer than its size', chunked('2\r\na=1\r\n0\r\n\r\n')),
    one('bare LF after the size', chunked('3\na=1\r\n0\r\n\r\n')),
    one('bare LF after the chunk', chunked('3\r\na=1\n0\r\n\r\n')),
    one('bare CR in an extension', chunked('3;a\rb\r\na=1\r\n0\r\n\r\n')),
    { name: 'chunked, cut short', send: [chunked('5\r\na=1'), 'FIN'] },
    { name: 'chunked, cut before the last chunk', send: [chunked('3\r\na=1\r\n'), 'FIN'] },

    one(
      'length and coding',
      framed(['Content-Length: 3', 'Transfer-Encoding: chunked'], '3\r\na=1\r\n0\r\n\r\n'),
    ),
    one(
      'coding and length',
      framed(['Transfer-Encoding: chunked', 'Content-Length: 3'], '3\r\na=1\r\n0\r\n\r\n'),
    ),
    one('a coding in capitals', framed(['Transfer-Encoding: CHUNKED'], '3\r\na=1\r\n0\r\n\r\n')),
    one('gzip, chunked', framed(['Transfer-Encoding: gzip, chunked'], '3\r\na=1\r\n0\r\n\r\n')),
    one('chunked, gzip', framed(['Transfer-Encoding: chunked, gzip'], '3\r\na=1\r\n0\r\n\r\n')),
    one('chunked twice', framed(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], '0\r\n\r\n')),
    one('chunked, chunked', framed(['Transfer-Encoding: chunked, chunked'], '0\r\n\r\n')),
    one('identity', framed(['Transfer-Encoding: identity'], 'a=1')),
    one('identity and a length', framed(['Transfer-Encoding: identity', 'Content-Length: 3'], 'a=1')),
    one('a coding that nobody knows', framed(['Transfer-Encoding: xchunked'], '0\r\n\r\n')),
    one('an empty coding', framed(['Transfer-Encoding:', 'Content-Length: 3'], 'a=1')),
    one('a coding behind a tab', framed(['Transfer-Encoding:\tchunked'], '3\r\na=1\r\n0\r\n\r\n')),
    one('a coding behind a vertical tab', framed(['Transfer-Encoding:\vchunked'], '0\r\n\r\n')),
    one('a coding with a blank before its colon', framed(['Transfer-Encoding : chunked'], '0\r\n\r\n')),
    one('a coding with a quoted name', framed(['Transfer-Encoding: "chunked"'], '0\r\n\r\n')),
    one('Transfer_Encoding', framed(['Transfer_Encoding: chunked', 'Content-Length: 3'], 'a=1')),
    one('Content_Length', framed(['Content_Length: 99', 'Content-Length: 3'], 'a=1')),
    one(
      'chunked in HTTP/1.0',
      request(target, {
        method: 'POST',
        version: 'HTTP/1.0',
        headers: [form, 'Transfer-Encoding: chunked'],
        body: '3\r\na=1\r\n0\r\n\r\n',
      }),
    ),
    one(
      'a request in the body of a GET',
      request(target, {
        headers: ['Content-Length: 48'],
        body: 'GET /index.php HTTP/1.1\r\nHost: example.test\r\n\r\n\r\n',
      }),
    ),

    {
      name: 'Expect: 100-continue',
      send: [
        length('3', '').replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n'),
        { until: /100 Continue\r\n\r\n/ },
        'a=1',
      ],
    },
    {
      name: 'Expect: 100-Continue in other letters',
      send: [
        length('3', '').replace('\r\n\r\n', '\r\nExpect: 100-Continue\r\n\r\n'),
        { until: /100 Continue\r\n\r\n/ },
        'a=1',
      ],
    },
    one(
      'Expect, and the body comes at once',
      length('3', 'a=1').replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n'),
    ),
    one('Expect without a body', request(target, { headers: ['Expect: 100-continue'] })),
    one(
      'Expect in HTTP/1.0',
      post(target, 'text/plain', 'abc', { version: 'HTTP/1.0', headers: ['Expect: 100-continue'] }),
    ),
    one('an empty Expect', length('3', 'a=1').replace('\r\n\r\n', '\r\nExpect:\r\n\r\n')),
    one('Expect for a file', request('/static/text.txt', { headers: ['Expect: 100-continue'] })),
    one('a body for a script that does not read it', post('/unread.php', 'text/plain', 'x'.repeat(100_000))),
    one('a body for a file', post('/static/text.txt', 'text/plain', 'abc')),
    one('a body for a missing path', post('/missing', 'text/plain', 'abc')),
    one('a body for a folder without its slash', post('/sub', 'text/plain', 'abc')),
  ],
};
