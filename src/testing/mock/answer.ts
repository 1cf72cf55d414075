/** What a MockDispatcher is told to answer, checked: a test that misspells a name must not pass by the default. */
import { checkIsOptions, checkNames, kindOf } from '../../arguments.ts';
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

/** Throws FCGI_ERR_INVALID_ARG that names the member. */
export function checkAnswer(answer: MockAnswer): void {
  checkIsOptions('answer', answer);
  checkNames(answer, KNOWN, 'an answer');
  const { statusCode, headers, body } = answer;
  check('statusCode', statusCode, isStatus(statusCode), 'a whole number from 100 to 999');
  if (headers !== undefined) checkIsOptions('headers', headers);
  check('body', body, isBody(body), 'a string, a Uint8Array or an iterable of them');
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

function check(option: string, value: unknown, good: boolean, expected: string): void {
  if (good) return;
  const message = `${option} must be ${expected}, not ${typeof value === 'number' ? value : kindOf(value)}`;
  throw new ArgumentError('FCGI_ERR_INVALID_ARG', option, message);
}
