import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type CombinedLine, CombinedWriter, mostBytes } from '../../../../src/cli/serve/log/combined.ts';

const PLAIN: CombinedLine = {
  client: '192.0.2.7',
  user: '-',
  time: '23/Nov/2026:06:54:31 +0000',
  method: 'GET',
  url: '/a?b=1',
  httpVersion: '1.1',
  status: 200,
  bytes: 512,
  referer: '-',
  agent: 'curl/8',
};

function lineOf(change: Partial<CombinedLine>): string {
  const line = { ...PLAIN, ...change };
  return written([line]);
}

function written(lines: readonly CombinedLine[]): string {
  const memory = Buffer.alloc(lines.reduce((sum, line) => sum + mostBytes(line), 0));
  const writer = new CombinedWriter(memory);
  for (const line of lines) writer.add(line);
  return memory.toString('latin1', 0, writer.end);
}

const BEGIN = '192.0.2.7 - - [23/Nov/2026:06:54:31 +0000] ';

it.each<[Partial<CombinedLine>, string]>([
  [{}, `${BEGIN}"GET /a?b=1 HTTP/1.1" 200 512 "-" "curl/8"\n`],
  [{ status: 499, bytes: 0 }, `${BEGIN}"GET /a?b=1 HTTP/1.1" 499 0 "-" "curl/8"\n`],
  [{ bytes: 5_000_000_000 }, `${BEGIN}"GET /a?b=1 HTTP/1.1" 200 5000000000 "-" "curl/8"\n`],
  [{ url: '/"\\' }, `${BEGIN}"GET /\\x22\\x5C HTTP/1.1" 200 512 "-" "curl/8"\n`],
  [
    { referer: '\n\r\t\x00\x7f' },
    `${BEGIN}"GET /a?b=1 HTTP/1.1" 200 512 "\\x0A\\x0D\\x09\\x00\\x7F" "curl/8"\n`,
  ],
  [{ agent: ' !#[]~' }, `${BEGIN}"GET /a?b=1 HTTP/1.1" 200 512 "-" " !#[]~"\n`],
  [{ agent: 'é' }, `${BEGIN}"GET /a?b=1 HTTP/1.1" 200 512 "-" "\\xE9"\n`],
  [{ url: '/€' }, `${BEGIN}"GET /\\x20AC HTTP/1.1" 200 512 "-" "curl/8"\n`],
  [{ method: 'M-SEARCH', httpVersion: '2.0' }, `${BEGIN}"M-SEARCH /a?b=1 HTTP/2.0" 200 512 "-" "curl/8"\n`],
  [
    { client: '2001:db8::1', user: 'al"ice' },
    '2001:db8::1 - al\\x22ice [23/Nov/2026:06:54:31 +0000] "GET /a?b=1 HTTP/1.1" 200 512 "-" "curl/8"\n',
  ],
])('%o', (change, expected) => {
  expect(lineOf(change)).toBe(expected);
});

it('takes no more bytes than it says, whatever is escaped', () => {
  const line = {
    ...PLAIN,
    url: '\uffff'.repeat(1000),
    agent: '\uffff'.repeat(1000),
    bytes: Number.MAX_SAFE_INTEGER,
  };
  const writer = new CombinedWriter(Buffer.alloc(100_000));
  writer.add(line);
  expect(writer.end).toBeLessThanOrEqual(mostBytes(line));
});

it('a line is the same whatever stands before it', () => {
  const some = fc.constantFrom('-', 'a', 'ab', '"');
  const change = fc.record({
    client: fc.constantFrom('::1', '10.0.0.1'),
    user: some,
    url: some,
    referer: some,
    agent: some,
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 6 }), (changes) => {
      const alone = changes.map(lineOf);
      expect(written(changes.map((one) => ({ ...PLAIN, ...one })))).toBe(alone.join(''));
    }),
  );
});
