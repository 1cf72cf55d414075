import { expect, it } from 'vitest';
import { type CombinedLine, mostBytes, writeCombined } from '../../../../src/cli/serve/log/combined.ts';

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
  const memory = Buffer.alloc(mostBytes(line) + 3);
  const end = writeCombined(memory, 3, line);
  return memory.toString('latin1', 3, end);
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
  const memory = Buffer.alloc(100_000);
  expect(writeCombined(memory, 0, line)).toBeLessThanOrEqual(mostBytes(line));
});
