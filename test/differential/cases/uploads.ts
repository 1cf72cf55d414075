/** multipart/form-data: PHP parses it, so the bytes must be the same to the last. */
import { type Case, one, post, type Theme } from '../support/case.ts';

const BORDER = '----border7MA4YWxk';
const type = `multipart/form-data; boundary=${BORDER}`;

function part(disposition: string, content: string, more = ''): string {
  return `--${BORDER}\r\nContent-Disposition: form-data; ${disposition}\r\n${more}\r\n${content}\r\n`;
}
const end = `--${BORDER}--\r\n`;
const file = (content: string, name = 'a.bin'): string =>
  part(`name="file"; filename="${name}"`, content, 'Content-Type: application/octet-stream\r\n');

const sizes: readonly number[] = [
  0,
  1,
  100,
  8191,
  8192,
  65_530,
  1024 * 1024,
  5 * 1024 * 1024,
  20 * 1024 * 1024,
];
/** No run of equal bytes: a piece that is lost or comes twice shows in the hash. */
function content(size: number): string {
  const piece = Buffer.alloc(Math.min(size, 65_537), 'The quick brown fox 0123456789 ').toString('latin1');
  return piece.repeat(Math.ceil(size / 65_537) || 0).slice(0, size);
}

const shapes: Readonly<Record<string, string>> = {
  'a field alone': part('name="a"', '1') + end,
  'fields and files': part('name="a"', '1') + file('x') + part('name="b[]"', '2') + end,
  'two files of one name': file('x') + file('y') + end,
  'a list of files': part('name="f[]"; filename="1"', 'x') + part('name="f[]"; filename="2"', 'y') + end,
  'a file without a name': part('name="f"; filename=""', '') + end,
  'a name with quotes and slashes': file('x', '..\\\\..\\/etc/passwd\\"q') + end,
  'a name in UTF-8': file('x', 'caf\xc3\xa9.txt') + end,
  'a name in latin1': file('x', 'caf\xe9.txt') + end,
  'bytes like a border': file(`--${BORDER}x\r\n--${BORDER.slice(1)}`) + end,
  'no last border': file('x'),
  'nothing but the last border': end,
  'no border at all': 'nothing of the kind',
  'a preamble and an epilogue': `before\r\n${file('x')}${end}after`,
  'a part without a name': part('filename="x"', 'y') + end,
  'line ends of LF': (part('name="a"', '1') + end).replaceAll('\r\n', '\n'),
};

const chunked: Case = one(
  'a file in chunks',
  `POST /probe.php HTTP/1.1\r\nHost: example.test\r\nConnection: close\r\nContent-Type: ${type}\r\n` +
    `Transfer-Encoding: chunked\r\n\r\n${inChunks(file(content(300_000)) + end, 7000)}`,
);

function inChunks(text: string, size: number): string {
  const pieces = text.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g')) ?? [];
  return `${pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('')}0\r\n\r\n`;
}

export const uploads: Theme = {
  theme: 'uploads',
  cases: [
    ...sizes.map((size) =>
      one(`a file of ${size} bytes`, post('/probe.php', type, file(content(size)) + end)),
    ),
    ...Object.entries(shapes).map(([name, body]) => one(name, post('/probe.php', type, body))),
    one('a type without its border', post('/probe.php', 'multipart/form-data', file('x') + end)),
    one(
      'a border in quotes',
      post('/probe.php', `multipart/form-data; boundary="${BORDER}"`, file('x') + end),
    ),
    one('as PUT', post('/probe.php', type, file('x') + end, { method: 'PUT' })),
    one('for the front controller', post('/upload', type, file('x') + end), { site: 'app' }),
    chunked,
  ],
};
