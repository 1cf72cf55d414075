/** Is this a request at all? What is wrong with it is said by name, before anything is dialled. */
import { ArgumentError } from '../../errors.ts';
import type { DispatchRequest } from '../dispatcher.ts';
import { checkOption, choice, optionRules } from '../options.ts';

const onAbortRule = choice('wait', 'close');

/** Throws FCGI_ERR_INVALID_ARG. Params and body are checked where they are encoded. */
export function checkRequest(request: DispatchRequest): void {
  check('request', request, isObject(request), 'an object');
  const { params, signal, idempotent, onStderr } = request;
  check('params', params, isObject(params), 'an object of strings and Uint8Arrays');
  check('signal', signal, signal === undefined || isSignal(signal), 'an AbortSignal');
  check('idempotent', idempotent, ['undefined', 'boolean'].includes(typeof idempotent), 'true or false');
  check('onStderr', onStderr, ['undefined', 'function'].includes(typeof onStderr), 'a function');
  checkOption('onAbort', request.onAbort, onAbortRule);
  checkOption('retry', request.retry, optionRules.retry);
  checkOption('headersTimeout', request.headersTimeout, optionRules.headersTimeout);
  checkOption('bodyTimeout', request.bodyTimeout, optionRules.bodyTimeout);
}

function check(option: string, value: unknown, good: boolean, expected: string): void {
  if (good) return;
  throw new ArgumentError(
    'FCGI_ERR_INVALID_ARG',
    option,
    `${option} must be ${expected}, not ${typeof value}`,
  );
}

/** By what it can do: a signal may come from another realm. */
function isSignal(value: object): boolean {
  return isObject(value) && 'aborted' in value && 'addEventListener' in value;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
