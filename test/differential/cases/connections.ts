/** Several requests on one connection, older versions, and those that want to leave HTTP. */
import { type Case, one, post, request, type Theme } from '../support/case.ts';

const more = { last: false } as const;
const old = { version: 'HTTP/1.0' } as const;
const form = 'application/x-www-form-urlencoded';
const upgrade = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
];

const h2c = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'];

const olds: readonly Case[] = [
  '/probe.php',
  '/static/text.txt',
  '/sub',
  '/missing',
  '/flushes.php',
  '/no-length.php',
].flatMap((target) => [
  one(`HTTP/1.0: ${target}`, request(target, { ...old, last: false })),
  one(`HTTP/1.0 HEAD: ${target}`, request(target, { ...old, method: 'HEAD', last: false })),
]);

export const connections: Theme = {
  theme: 'connections',
  cases: [
    ...olds,
    one('HTTP/1.0 without a Host', request('/probe.php', { ...old, host: null })),
    one('HTTP/1.0 POST', post('/probe.php', form, 'a=1', old)),
    one(
      'HTTP/1.0 with keep-alive, then close',
      request('/probe.php', { ...old, last: false, headers: ['Connection: keep-alive'] }) +
        request('/probe.php?2', old),
    ),
    one('HTTP/1.0 with a whole URL', request('http://example.test/probe.php', { ...old, host: null })),
    one('two GETs at once', request('/probe.php?1', more) + request('/probe.php?2')),
    one(
      'ten GETs at once',
      Array.from({ length: 9 }, (_, index) => request(`/probe.php?${index}`, more)).join('') +
        request('/probe.php?last'),
    ),
    one('a slow one, then a quick one', request('/flushes.php', more) + request('/probe.php')),
    one(
      'a script, a file, a missing path',
      request('/probe.php', more) + request('/static/site.css', more) + request('/missing'),
    ),
    one('HEAD, then GET', request('/probe.php', { ...more, method: 'HEAD' }) + request('/probe.php')),
    one('POST, then GET', post('/probe.php', form, 'a=1', more) + request('/probe.php?2')),
    one(
      'a chunked POST, then GET',
      request('/probe.php', {
        ...more,
        method: 'POST',
        headers: ['Transfer-Encoding: chunked'],
        body: '3\r\nabc\r\n0\r\n\r\n',
      }) + request('/probe.php?2'),
    ),
    one(
      'a body nobody reads, then GET',
      post('/unread.php', 'text/plain', 'x'.repeat(50_000), more) + request('/probe.php?2'),
    ),
    one(
      'a body for a file, then GET',
      post('/static/text.txt', 'text/plain', 'GET /x HTTP/1.1\n', more) + request('/probe.php?2'),
    ),
    one(
      'a body for a missing path, then GET',
      post('/missing', 'text/plain', 'abc', more) + request('/probe.php?2'),
    ),
    one('204, then GET', request('/status-204-body.php', more) + request('/probe.php?2')),
    one('304, then GET', request('/status-304-body.php', more) + request('/probe.php?2')),
    one(
      'more output than its Content-Length, then GET',
      request('/length-too-small.php', more) + request('/probe.php?2'),
    ),
    one(
      'less output than its Content-Length, then GET',
      request('/length-too-large.php', more) + request('/probe.php?2'),
    ),
    one('a good one, then a bad one', `${request('/probe.php', more)}BAD\r\n\r\n`),
    one('a bad one, then a good one', `BAD\r\n\r\n${request('/probe.php')}`),
    one('an empty line between two', `${request('/probe.php?1', more)}\r\n${request('/probe.php?2')}`),
    one('close, then one more', request('/probe.php?1') + request('/probe.php?2')),
    one('close among other words', request('/probe.php', { last: false, headers: ['Connection: x, Close'] })),
    one(
      'an upgrade, and more before it is granted',
      request('/static/site.css', { last: false, headers: upgrade }) + request('/static/site.css'),
    ),
    {
      name: 'an upgrade to a WebSocket that is not granted, then GET',
      send: [
        ...[request('/probe.php', { last: false, headers: upgrade }), { until: /"input"/ }],
        request('/static/site.css'),
      ],
    },
    {
      name: 'an upgrade to h2c that is not granted, then GET',
      send: [
        ...[request('/plain.php', { last: false, headers: h2c }), { until: /some output/ }],
        request('/static/site.css'),
      ],
    },
    one('the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  ],
};
