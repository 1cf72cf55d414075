/** Which part of a file a client gets, or that it has it already: RFC 9110, 13 and 14. */
import { expect, it } from 'vitest';
import {
  type FileFacts,
  fileAnswer,
  isConditional,
} from '../../../../src/gateway/site/static/file-answer.ts';

const MODIFIED = 'Thu, 26 Nov 2026 07:00:00 GMT';
const EARLIER = 'Thu, 26 Nov 2026 06:59:59 GMT';
const LATER = 'Thu, 26 Nov 2026 07:00:01 GMT';
const ETAG = 'W/"64-1a2"';

const file: FileFacts = {
  size: 100,
  etag: ETAG,
  lastModified: MODIFIED,
  fields: ['ETag', ETAG, 'Content-Length', '100'],
};

function answer(headers: Readonly<Record<string, string>>, facts = file): string {
  const header = (name: string): string | undefined => headers[name];
  expect(isConditional(headers)).toBe(true);
  const { statusCode, range } = fileAnswer(facts, header);
  return range === null ? String(statusCode) : `${statusCode} ${range[0]}-${range[1]}`;
}

const ALL = '200 0-99';
const PART = { range: 'bytes=0-5' };

it.each([
  // of several ranges, or none that makes sense, all is sent
  [{ range: 'bytes=0-1,5-6' }, ALL],
  [{ range: 'bytes=0-0,-1' }, ALL],
  [{ range: 'bytes=0-1,1-2' }, '206 0-2'],
  [{ range: 'bytes=0-1,200-300' }, '206 0-1'],
  [{ range: 'bytes=200-300,400-500' }, '416'],
  [{ range: 'bytes=-0' }, '416'],
  [{ range: 'bytes=-500' }, '206 0-99'],
  [{ range: 'bytes=0-99999999999999999999' }, '206 0-99'],
  [{ range: 'bytes=99999999999999999999-' }, '416'],
  [{ range: 'bytes=abc' }, ALL],
  [{ range: 'bytes=' }, ALL],
  [{ range: 'bytes' }, ALL],
  [{ range: 'bytes=+1-5' }, ALL],
  [{ range: 'bytes=0x1-5' }, ALL],
  [{ range: 'bytes=1.5-5' }, ALL],
  [{ range: 'bytes=--5' }, ALL],
  [{ range: 'items=0-5' }, ALL],
  // names of units have no case (RFC 9110, 14.1)
  [{ range: 'Bytes=0-5' }, '206 0-5'],
  [{ range: 'BYTES=-500' }, '206 0-99'],
  // a part goes on with what the client has, which must be of this very version
  [{ ...PART, 'if-range': MODIFIED }, '206 0-5'],
  [{ ...PART, 'if-range': EARLIER }, ALL],
  [{ ...PART, 'if-range': LATER }, ALL],
  [{ ...PART, 'if-range': ETAG }, '206 0-5'],
  [{ ...PART, 'if-range': '"other"' }, ALL],
  [{ ...PART, 'if-range': 'nonsense' }, ALL],
  [{ ...PART, 'if-range': '' }, ALL],
  // conditions come before ranges, and tags before dates
  [{ ...PART, 'if-match': '"other"' }, '412'],
  [{ ...PART, 'if-none-match': ETAG }, '304'],
  [{ 'if-match': '*' }, ALL],
  [{ 'if-match': `"a", ${ETAG}` }, ALL],
  [{ 'if-match': '"a"', 'if-unmodified-since': LATER }, '412'],
  [{ 'if-match': ETAG, 'if-unmodified-since': EARLIER }, ALL],
  [{ 'if-unmodified-since': MODIFIED }, ALL],
  [{ 'if-unmodified-since': EARLIER }, '412'],
  [{ 'if-unmodified-since': 'nonsense' }, ALL],
  [{ 'if-none-match': '*' }, '304'],
  [{ 'if-none-match': '"64-1a2"' }, '304'],
  [{ 'if-none-match': `"a", ${ETAG}` }, '304'],
  [{ 'if-none-match': '"a"', 'if-modified-since': LATER }, ALL],
  [{ 'if-modified-since': MODIFIED }, '304'],
  [{ 'if-modified-since': EARLIER }, ALL],
  [{ 'if-modified-since': 'nonsense' }, ALL],
  // the three forms of a date, and nothing else that JavaScript takes for one (RFC 9110, 5.6.7 and 13.1.3)
  [{ 'if-modified-since': 'Thursday, 26-Nov-26 07:00:00 GMT' }, '304'],
  [{ 'if-modified-since': 'Thu Nov 26 07:00:00 2026' }, '304'],
  [{ 'if-modified-since': 'Thu Nov 26 06:59:59 2026' }, ALL],
  [{ 'if-modified-since': 'Thu Dec  3 07:00:00 2026' }, '304'],
  [{ 'if-modified-since': '2026-11-26T07:00:00Z' }, ALL],
  [{ 'if-modified-since': '2094' }, ALL],
  [{ 'if-modified-since': 'Thu, 26 Nov 2026 07:00:00 +0100' }, ALL],
  [{ 'if-modified-since': 'Thu, 26 Nov 2026 27:00:00 GMT' }, ALL],
  [{ 'if-modified-since': '' }, ALL],
  [{ 'if-unmodified-since': '1994' }, ALL],
  [{ ...PART, 'if-range': 'Thu Nov 26 07:00:00 2026' }, '206 0-5'],
  [{ ...PART, 'if-range': '2026-11-26T07:00:00Z' }, ALL],
])('%j gets %s', (headers, expected) => {
  expect(answer(headers)).toBe(expected);
});

it.each(['bytes=0-', 'bytes=0-0', 'bytes=-1', 'bytes=5-9'])(
  'of an empty file there are no parts: to %s it is sent as a whole, as by nginx',
  (range) => {
    expect(answer({ range }, { ...file, size: 0 })).toBe('200');
  },
);
