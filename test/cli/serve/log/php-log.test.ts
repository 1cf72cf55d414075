import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { phpMessages } from '../../../../src/cgi/php-message.ts';
import { PhpLog } from '../../../../src/cli/serve/log/php-log.ts';
import { phpText } from '../../../../src/cli/serve/log/php-text.ts';

let out: PassThrough;
let log: PhpLog;
beforeEach(() => {
  vi.useFakeTimers();
  out = new PassThrough({ encoding: 'utf8' });
  log = new PhpLog(out, false);
});
afterEach(() => {
  vi.useRealTimers();
});

/** What was written since it was asked last; one read() may give one piece of it. */
const printed = (): string => {
  let text = '';
  for (let piece = out.read(); piece !== null; piece = out.read()) text += piece;
  return text;
};
const warning = 'PHP Warning:  no in /a.php on line 1';
const logged = `NOTICE: PHP message: ${warning}`;
const ofRequest = `PHP message: ${warning}`;
const shown = 'PHP warning: no at /a.php:1';

it('a message that comes both ways is told once, with its request, whichever comes first', () => {
  log.logged(logged);
  expect(printed()).toBe('');
  log.ofRequest('GET /', ofRequest, true);
  expect(printed()).toBe(`${shown} (GET /)\n`);
  log.ofRequest('GET /b', ofRequest, true);
  log.logged(logged);
  vi.runAllTimers();
  expect(printed()).toBe(`${shown} (GET /b)\n`);
});

it('the same message twice is told twice', () => {
  for (const request of ['GET /1', 'GET /2']) log.ofRequest(request, ofRequest, true);
  for (let nth = 0; nth < 3; nth += 1) log.logged(logged);
  vi.runAllTimers();
  expect(printed()).toBe(`${shown} (GET /1)\n${shown} (GET /2)\n${shown}\n`);
});

it('a message that no request claims is told after a second, and not again when one claims it later', () => {
  log.logged(logged);
  vi.advanceTimersByTime(1100);
  expect(printed()).toBe(`${shown}\n`);
  log.ofRequest('GET /', ofRequest, true);
  expect(printed()).toBe('');
});

it('lines that a script writes are told at once, and in their order behind messages that wait', () => {
  log.logged('raw\x1b');
  expect(printed()).toBe('raw\\x1b\n');
  log.logged('NOTICE: PHP message: one');
  log.logged('two');
  log.flush();
  expect(printed()).toBe('PHP: one\nPHP: two\n');
});

it('a line of a script that waited behind a message of a request is told as it is', () => {
  log.logged(logged);
  log.logged('raw');
  log.ofRequest('GET /', ofRequest, true);
  vi.runAllTimers();
  expect(printed()).toBe(`${shown} (GET /)\nraw\n`);
});

it('without a log of php-fpm nothing is compared', () => {
  for (let nth = 0; nth < 2; nth += 1) log.ofRequest('GET /', ofRequest, false);
  log.logged(logged);
  vi.runAllTimers();
  expect(printed()).toBe(`${`${shown} (GET /)\n`.repeat(2)}${shown}\n`);
});

it('in a terminal the level has its colour, and the file is underlined', () => {
  const [message] = phpMessages(`PHP message: ${warning}`);
  if (!message) throw new Error('no message');
  expect(phpText(message, 'GET /', true)).toBe(
    '\x1b[33mPHP warning:\x1b[39m no at \x1b[4m/a.php:1\x1b[24m\x1b[2m (GET /)\x1b[22m\n',
  );
  expect(phpText(message, 'GET /', false)).toBe(`${shown} (GET /)\n`);
});
