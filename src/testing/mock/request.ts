/** What a Pool refuses a mock refuses, in the same words: a test is to fail where the application would. */
import { isUint8Array } from 'node:util/types';
import { checkArgument, isOptions, unknownName } from '../../arguments.ts';
import { ArgumentError } from '../../errors.ts';
import type { MockDispatchRequest } from './types.ts';

const known = [
  'params',
  'body',
  'signal',
  'idempotent',
  'retry',
  'timeout',
  'headersTimeout',
  'bodyTimeout',
  'onStderr',
  'onAbort',
  'closeOnAbort',
  'server',
];

/** Null: it may be run. Else FCGI_ERR_INVALID_ARG. */
export function refusalOf(request: MockDispatchRequest): ArgumentError | null {
  try {
    check(request);
    return null;
  } catch (error) {
    if (error instanceof ArgumentError) return error;
    throw error;
  }
}

function check(request: MockDispatchRequest): void {
  checkArgument('request', request, isOptions(request), 'an object');
  for (const key in request) {
    if (!known.includes(key) && !(key in Object.prototype)) throw unknownName(key, known, 'a request');
  }
  const { params } = request;
  checkArgument(
    'params',
    params,
    typeof params === 'object' && params !== null,
    'an object of strings and Uint8Arrays',
  );
  checkArgument('params', params, isPlain(params), 'a plain object of strings and Uint8Arrays');
  for (const [name, value] of Object.entries(params)) {
    const good = typeof value === 'string' || isUint8Array(value);
    checkArgument(`params.${name}`, value, good, 'a string or a Uint8Array');
  }
  const method = params['REQUEST_METHOD'];
  if (method === undefined || method.length === 0) {
    const option = 'params.REQUEST_METHOD';
    const message = `${option} is missing: 'GET', 'POST' or another method`;
    throw new ArgumentError('FCGI_ERR_INVALID_ARG', option, message);
  }
}

/**
 * `length`: bytes that the body had.
 *
 * @throws ArgumentError FCGI_ERR_INVALID_ARG: CONTENT_LENGTH is no number; FCGI_ERR_BODY_LENGTH: it is not that of the body.
 */
export function checkMockLength({ params }: MockDispatchRequest, length: number): void {
  const value = params['CONTENT_LENGTH'];
  if (value === undefined || value.length === 0) return;
  const text = typeof value === 'string' ? value : Buffer.from(value).toString('latin1');
  if (!/^\d{1,15}$/.test(text)) {
    const message = `CONTENT_LENGTH must be a number of bytes, not ${JSON.stringify(text)}`;
    throw new ArgumentError('FCGI_ERR_INVALID_ARG', 'params.CONTENT_LENGTH', message);
  }
  if (Number(text) === length) return;
  const message = `CONTENT_LENGTH says ${text} bytes, but the body has ${length}`;
  throw new ArgumentError('FCGI_ERR_BODY_LENGTH', 'body', message);
}

/** A Map, Headers, an array: their values are no properties of theirs. */
function isPlain(params: object): boolean {
  if (Symbol.iterator in params) return false;
  const prototype: unknown = Object.getPrototypeOf(params);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
