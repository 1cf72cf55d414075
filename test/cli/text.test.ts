import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { StderrLines } from '../../src/cli/stderr-lines.ts';
import { printable, printableLines, reasonOf } from '../../src/cli/text.ts';
import { FcgiError } from '../../src/errors.ts';

it('control characters are shown, not obeyed', () => {
  expect(printable('a\u001b[31mb\nc\td\u0007\u0085\u2028e')).toBe(
    'a\\x1b[31mb\\x0ac\\x09d\\x07\\x85\\u2028e',
  );
  expect(printable('Gr\u00fc\u00dfe, \u4f60\u597d')).toBe('Gr\u00fc\u00dfe, \u4f60\u597d');
});

it('what would turn the direction of a line is shown, not obeyed; marks of languages that go that way stay', () => {
  expect(printable('a\u202egpj.exe\u202c \u2066b\u2069')).toBe('a\\u202egpj.exe\\u202c \\u2066b\\u2069');
  expect(printable('\u05d0\u200f\u05d1')).toBe('\u05d0\u200f\u05d1');
});

it('lines stay lines', () => {
  expect(printableLines('a\r\nb\u001b\n')).toEqual(['a', 'b\\x1b']);
  expect(printableLines('a')).toEqual(['a']);
});

it('a reason is one line, with the hint', () => {
  const error = new FcgiError('FCGI_ERR_CONNECT', 'connect failed\n  twice', {
    facts: { hint: 'is it running?' },
  });
  expect(reasonOf(error)).toBe('connect failed twice (is it running?)');
  expect(reasonOf(new Error('plain'))).toBe('plain');
  expect(reasonOf('thrown text\u001b')).toBe('thrown text\\x1b');
});

/** All that has been written to it; one read() may give one piece of it. */
function readAll(out: PassThrough): string {
  let text = '';
  for (let piece = out.read(); piece !== null; piece = out.read()) text += piece;
  return text;
}

function written(pieces: readonly (string | Uint8Array)[]): string {
  const out = new PassThrough();
  const lines = new StderrLines(out);
  for (const piece of pieces) lines.write(Buffer.from(piece));
  lines.flush();
  return readAll(out);
}

it("PHP's STDERR comes out as whole lines, however it was cut", () => {
  const umlaut = Buffer.from('\u00fc');
  expect(written(['PHP War', 'ning: a\nPHP ', 'Notice: b'])).toBe('PHP Warning: a\nPHP Notice: b\n');
  expect(written(['a', umlaut.subarray(0, 1), umlaut.subarray(1), '\n'])).toBe('a\u00fc\n');
  expect(written(['a\u001b[2J\r\n'])).toBe('a\\x1b[2J\n');
  expect(written([])).toBe('');
});

it('a line without end does not grow in memory', () => {
  const out = new PassThrough();
  const lines = new StderrLines(out);
  for (let count = 0; count < 20; count += 1) lines.write(Buffer.alloc(1000, 'x'));
  expect(readAll(out).length).toBeGreaterThan(16_000);
});
