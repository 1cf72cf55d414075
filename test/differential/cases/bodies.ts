/** What PHP makes of a body. */
import { type Case, one, post, request, type Theme } from '../support/case.ts';

const form = 'application/x-www-form-urlencoded';

const forms: Readonly<Record<string, string>> = {
  'an empty form': '',
  'one field': 'a=1',
  'a field twice': 'a=1&a=2',
  'a list': 'a[]=1&a[]=2',
  'nested lists': 'a[x][y][]=1',
  'blanks and pluses': 'a+b=c%20d+e',
  'dots and blanks in names': 'a.b=1&c d=2',
  'bytes that are not UTF-8': 'a=%ff\xfe',
  'UTF-8': 'name=caf\xc3\xa9',
  NUL: 'a=%00\0b',
  'line breaks': 'a=1\r\nb=2\r\n',
  'a broken escape': 'a=%zz&b=%',
  'more fields than max_input_vars': Array.from({ length: 1200 }, (_, index) => `f${index}=1`).join('&'),
  'a value of 200,000 bytes': `a=${'v'.repeat(200_000)}`,
};

const bytes = String.fromCharCode(...Array.from({ length: 256 }, (_, index) => index));

const others: readonly (readonly [string, string, string])[] = [
  ['JSON', 'application/json', '{"a":[1,2,{"b":null}]}'],
  ['XML', 'text/xml', '<a>1</a>'],
  ['a type with a charset', `${form}; charset=ISO-8859-1`, 'a=%e9'],
  ['a type in capitals', form.toUpperCase(), 'a=1'],
  ['a type that is none', 'nonsense', 'a=1'],
  ['a type of bytes beyond ASCII', 'text/\xe9', 'a=1'],
  ['an empty type', '', 'a=1'],
  ['all bytes there are', 'application/octet-stream', bytes],
  ['one byte', 'application/octet-stream', '\0'],
  ['4,096 bytes', 'application/octet-stream', 'x'.repeat(4096)],
  ['65,535 bytes', 'application/octet-stream', 'x'.repeat(65_535)],
  ['65,536 bytes', 'application/octet-stream', 'x'.repeat(65_536)],
  ['1 MiB', 'application/octet-stream', bytes.repeat(4096)],
];

const methods: Case[] = ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'].map((method) =>
  one(`${method} with a body`, post('/probe.php', form, 'a=1', { method })),
);

/** In chunks of these sizes. */
function chunkedOf(sizes: readonly number[], headers: readonly string[] = []): string {
  const body = sizes.map((size) => `${size.toString(16)}\r\n${'c'.repeat(size)}\r\n`).join('');
  const all = ['Content-Type: text/plain', 'Transfer-Encoding: chunked', ...headers];
  return request('/probe.php', { method: 'PUT', headers: all, body: `${body}0\r\n\r\n` });
}

/** In pieces of 1000 bytes. */
function inChunks(type: string, body: string): string {
  const pieces = body.match(/[\s\S]{1,1000}/g) ?? [];
  const chunks = pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`);
  const headers = [`Content-Type: ${type}`, 'Transfer-Encoding: chunked'];
  return request('/probe.php', { method: 'POST', headers, body: `${chunks.join('')}0\r\n\r\n` });
}

export const bodies: Theme = {
  theme: 'bodies',
  cases: [
    ...Object.entries(forms).map(([name, body]) => one(name, post('/probe.php', form, body))),
    ...others.map(([name, type, body]) => one(name, post('/probe.php', type, body))),
    ...others.map(([name, type, body]) => one(`${name}, in chunks`, inChunks(type, body))),
    ...Object.entries(forms).map(([name, body]) => one(`${name}, in chunks`, inChunks(form, body))),
    ...methods,
    one('no type', request('/probe.php', { method: 'POST', headers: ['Content-Length: 3'], body: 'a=1' })),
    one('a form and a query', post('/probe.php?a=query&b=2', form, 'a=body')),
    one('a form for the front controller', post('/blog/save?x=1', form, 'a=1'), { site: 'app' }),
    one('a form for a script with PATH_INFO', post('/probe.php/save', form, 'a=1')),
    one('a form for the index of a folder', post('/sub/', form, 'a=1')),
    one(
      'a form with Content-Encoding',
      post('/probe.php', form, 'a=1', { headers: ['Content-Encoding: gzip'] }),
    ),
    one('chunks of 1, 100 and 70,000 bytes', chunkedOf([1, 100, 70_000])),
    one('a thousand chunks', chunkedOf(Array.from({ length: 1000 }, () => 10))),
    one('a body that is echoed', post('/echo.php', 'application/octet-stream', bytes.repeat(512))),
    {
      name: 'a body that comes after its head',
      send: [
        ...[request('/probe.php', { last: false }), { until: /"input"/ }],
        ...[
          request('/probe.php', { method: 'POST', headers: [`Content-Type: ${form}`, 'Content-Length: 3'] }),
          'a=1',
        ],
      ],
    },
  ],
};
