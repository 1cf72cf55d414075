/** Request lines that are not just a path. */
import { one, request, type Theme } from '../support/case.ts';

const line = (text: string): string => `${text}\r\nHost: example.test\r\nConnection: close\r\n\r\n`;
const long = (length: number): string => `/probe.php?${'q'.repeat(length)}`;

export const targets: Theme = {
  theme: 'request lines',
  cases: [
    one('a whole URL', request('http://example.test/probe.php?a=1')),
    one('a whole URL of another host than Host says', request('http://other.test/probe.php')),
    one('a whole URL with a port', request('http://example.test:8080/probe.php')),
    one('a whole URL in capitals', request('HTTP://EXAMPLE.TEST/probe.php')),
    one('a whole URL without a path', request('http://example.test'), { site: 'app' }),
    one('a whole URL without a path, with a query', request('http://example.test?a=1'), { site: 'app' }),
    one('a whole URL with a user', request('http://user:pw@example.test/probe.php')),
    one('an https URL', request('https://example.test/probe.php')),
    one('a URL of another scheme', request('ftp://example.test/probe.php')),
    one('a path without its slash', request('probe.php')),
    one('a query alone', request('?a=1')),
    one('two blanks in the line', line('GET  /probe.php HTTP/1.1')),
    one('two blanks before the version', line('GET /probe.php  HTTP/1.1')),
    one('a tab in the line', line('GET\t/probe.php\tHTTP/1.1')),
    one('a blank in the path', line('GET /sp ace.php HTTP/1.1')),
    one('a blank at the end of the line', line('GET /probe.php HTTP/1.1 ')),
    one('a tab in the path', line('GET /pro\tbe.php HTTP/1.1')),
    one('a NUL in the path', line('GET /probe.php\0 HTTP/1.1')),
    one('DEL in the path', line('GET /probe.php\x7f HTTP/1.1')),
    one('a control byte in the query', line('GET /probe.php?a=\x01 HTTP/1.1')),
    one('an empty line before the request', `\r\n${request('/probe.php')}`),
    one('bare LF as line ends', 'GET /probe.php HTTP/1.1\nHost: example.test\nConnection: close\n\n'),
    one('bare CR as line ends', 'GET /probe.php HTTP/1.1\rHost: example.test\rConnection: close\r\r'),
    { name: 'no version at all', send: ['GET /probe.php\r\n', 'FIN'] },
    one('HTTP/0.9', line('GET /probe.php HTTP/0.9')),
    one('HTTP/1.2', line('GET /probe.php HTTP/1.2')),
    one('HTTP/2.0', line('GET /probe.php HTTP/2.0')),
    one('HTTP/3', line('GET /probe.php HTTP/3')),
    one('HTTP/1.10', line('GET /probe.php HTTP/1.10')),
    one('http/1.1 in small letters', line('GET /probe.php http/1.1')),
    one('another protocol', line('GET /probe.php ICAP/1.0')),
    one('rubbish', 'hello\r\n\r\n'),
    one('a TLS greeting', '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n'),
    one('a target of 8,000 bytes', request(long(7989))),
    one('a target of 12,000 bytes', request(long(12_000))),
    one('a target of 40,000 bytes', request(long(40_000))),
    one('a path of 200 folders', request(`${'/a'.repeat(200)}/x`), { site: 'app' }),
    one('a name longer than a file can have', request(`/${'n'.repeat(300)}`)),
    one('a name longer than a file can have, for a front controller', request(`/${'n'.repeat(300)}`), {
      site: 'app',
    }),
    one('a path longer than a file can have', request(`/${'n/'.repeat(2500)}`), { site: 'app' }),
    one('a script below a name too long', request(`/${'n'.repeat(300)}/x.php`)),
  ],
};
