/** What a MockDispatcher is told to answer, checked: a test that misspells a name must not pass by the default. */
import { checkArgument, checkIsOptions, checkNames, kindOf } from '../../arguments.ts';
import { ArgumentError } from '../../errors.ts';
import type { MockAnswer } from './types.ts';

const KNOWN: Readonly<Record<keyof MockAnswer, true>> = {
  statusCode: true,
  statusText: true,
  headers: true,
  body: true,
  stderr: true,
  appStatus: true,
  error: true,
};

/** RFC 9110, 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;
const LINE = /^[^\0\r\n\u0100-\uffff]*$/;

/** Throws FCGI_ERR_INVALID_ARG that names the member. */
export function checkAnswer(answer: MockAnswer): void {
  checkIsOptions('answer', answer);
  checkNames(answer, KNOWN, 'an answer');
  const { statusCode, headers, body } = answer;
  check('statusCode', statusCode, isStatus(statusCode), 'a whole number from 100 to 999');
  if (headers !== undefined) {
    checkIsOptions('headers', headers);
    for (const [name, value] of Object.entries(headers)) checkHeader(name, value);
  }
  check('body', body, isBody(body), 'a string, a Uint8Array or an iterable of them');
}

/** What no response of a Pool can have, a test must not build on. */
function checkHeader(name: string, value: unknown): void {
  const option = `headers.${name}`;
  if (!TOKEN.test(name)) throw invalid('headers', `${JSON.stringify(name)} is not the name of a header`);
  if (name.toLowerCase() === 'status')
    throw invalid(option, 'a Pool keeps it to itself: say statusCode and statusText');
  for (const one of [value].flat()) {
    if (one === undefined) continue;
    checkArgument(option, one, typeof one === 'string', 'a string or an array of strings');
    if (!LINE.test(String(one)))
      throw invalid(option, 'one line, and each char is one byte: of UTF-8 the bytes, as latin1');
  }
}

function isStatus(value: unknown): boolean {
  return value === undefined || (Number.isInteger(value) && Number(value) >= 100 && Number(value) <= 999);
}

function isBody(value: unknown): boolean {
  if (value === undefined || typeof value === 'string') return true;
  return (
    typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value)
  );
}

function invalid(option: string, message: string): ArgumentError {
  return new ArgumentError('FCGI_ERR_INVALID_ARG', option, `${option}: ${message}`);
}

function check(option: string, value: unknown, good: boolean, expected: string): void {
  if (good) return;
  const message = `${option} must be ${expected}, not ${typeof value === 'number' ? value : kindOf(value)}`;
  throw new ArgumentError('FCGI_ERR_INVALID_ARG', option, message);
}
