import { type Case, one, request, type Theme } from '../support/case.ts';

const names = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'PROPFIND',
  'REPORT',
  'PURGE',
  'M-SEARCH',
];
const strange = ['get', 'Post', 'FOO', 'GET!', 'X-CUSTOM', 'QUERY'];

const onScripts: Case[] = names.flatMap((method) => [
  one(`${method} of a script`, request('/probe.php', { method })),
  one(`${method} of a path for the front controller`, request('/blog/post', { method }), { site: 'app' }),
]);
const onFiles: Case[] = ['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'].map((method) =>
  one(`${method} of a file`, request('/static/text.txt', { method })),
);

export const methods: Theme = {
  theme: 'methods',
  cases: [
    ...onScripts,
    ...onFiles,
    ...strange.map((method) => one(`${method} of a script`, request('/probe.php', { method }))),
    one('TRACE of a script', request('/probe.php', { method: 'TRACE' })),
    one('HEAD of a missing file', request('/missing.txt', { method: 'HEAD' })),
    one('POST to a folder', request('/sub/', { method: 'POST' })),
    one('HEAD of a folder without its slash', request('/sub', { method: 'HEAD' })),
    one('DELETE of a name with a fragment', request('/probe.php/a/#b', { method: 'DELETE' })),
    one('OPTIONS *', request('*', { method: 'OPTIONS' })),
    one('GET *', request('*')),
    one('CONNECT to a host', request('example.test:443', { method: 'CONNECT' })),
    one('CONNECT to a path', request('/probe.php', { method: 'CONNECT' })),
    one('no method', ' /probe.php HTTP/1.1\r\nHost: example.test\r\n\r\n'),
    one('a method with a blank', 'GE T /probe.php HTTP/1.1\r\nHost: example.test\r\n\r\n'),
    one('a method with a byte beyond ASCII', 'G\xc9T /probe.php HTTP/1.1\r\nHost: example.test\r\n\r\n'),
  ],
};
