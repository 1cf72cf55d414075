/** Is this a request at all? What is wrong with it is said by name, before anything is dialled. */
import { isUint8Array } from 'node:util/types';
import { checkArgument, unknownName } from '../../arguments.ts';
import { ArgumentError } from '../../errors.ts';
import type { DispatchHandler, DispatchRequest } from '../dispatcher.ts';
import { checkOption, optionRules } from '../options.ts';

/** All that a request may have. Spelled out as the type's own keys, so that none can be forgotten. */
const REQUEST_KEYS: Readonly<Record<keyof DispatchRequest, true>> = {
  params: true,
  body: true,
  signal: true,
  idempotent: true,
  retry: true,
  timeout: true,
  headersTimeout: true,
  bodyTimeout: true,
  onStderr: true,
  onAbort: true,
  closeOnAbort: true,
  server: true,
};

const KEYS: ReadonlySet<string> = new Set(Object.keys(REQUEST_KEYS));

/** Throws FCGI_ERR_INVALID_ARG. The values of params, and the body, are checked where they are encoded. */
export function checkRequest(request: DispatchRequest): void {
  checkArgument('request', request, isObject(request), 'an object');
  for (const key in request) {
    // What some library has given to all objects is in this one, too.
    if (!KEYS.has(key) && !(key in Object.prototype)) throw unknownName(key, [...KEYS], 'a request');
  }
  const { params, signal, idempotent, onStderr, onAbort, closeOnAbort, server } = request;
  checkParams(params);
  checkArgument('signal', signal, signal === undefined || isSignal(signal), 'an AbortSignal');
  checkArgument('idempotent', idempotent, isOptional(idempotent, 'boolean'), 'true or false');
  checkArgument('onStderr', onStderr, isOptional(onStderr, 'function'), 'a function');
  checkArgument('onAbort', onAbort, isOptional(onAbort, 'function'), 'a function');
  checkArgument('closeOnAbort', closeOnAbort, isOptional(closeOnAbort, 'boolean'), 'true or false');
  checkArgument('server', server, isOptional(server, 'string'), 'an address');
  checkOption('retry', request.retry, optionRules.retry);
  checkOption('timeout', request.timeout, optionRules.timeout);
  checkOption('headersTimeout', request.headersTimeout, optionRules.headersTimeout);
  checkOption('bodyTimeout', request.bodyTimeout, optionRules.bodyTimeout);
}

/** For a request that only one server may have. */
export function noSuchServer(server: string): ArgumentError {
  const message = `there is no server ${JSON.stringify(server)}: give an address as stats.servers has it`;
  return new ArgumentError('FCGI_ERR_INVALID_ARG', 'server', message);
}

/** Is it worth telling others of? What is wrong with it else is found later. */
export function isRequest(request: DispatchRequest, handler: DispatchHandler): boolean {
  if (!isObject(request) || !isObject(request.params) || !isObject(handler)) return false;
  const { params, onStderr } = request;
  if (onStderr !== undefined && typeof onStderr !== 'function') return false;
  return !(Symbol.iterator in params) && !isInstance(params) && hasCallbacks(handler);
}

/** Throws FCGI_ERR_INVALID_ARG where nobody could be told of an error. */
export function checkHandler(handler: DispatchHandler): void {
  checkArgument('handler', handler, isObject(handler), 'an object with callbacks');
  checkCallback('onResponseError', handler.onResponseError);
}

/** Throws FCGI_ERR_INVALID_ARG where another callback is missing. */
export function checkCallbacks(handler: DispatchHandler): void {
  checkCallback('onResponseStart', handler.onResponseStart);
  checkCallback('onResponseData', handler.onResponseData);
  checkCallback('onResponseEnd', handler.onResponseEnd);
  if (handler.onRequestStart !== undefined) checkCallback('onRequestStart', handler.onRequestStart);
}

function hasCallbacks(handler: DispatchHandler): boolean {
  const { onRequestStart, onResponseStart, onResponseData, onResponseEnd, onResponseError } = handler;
  const needed = [onResponseStart, onResponseData, onResponseEnd, onResponseError];
  return [...needed, onRequestStart ?? onResponseStart].every((one) => typeof one === 'function');
}

function checkCallback(name: string, callback: unknown): void {
  checkArgument(`handler.${name}`, callback, typeof callback === 'function', 'a function');
}

function checkParams(params: DispatchRequest['params']): void {
  const expected = 'an object of strings and Uint8Arrays';
  checkArgument('params', params, isObject(params), expected);
  // A Map, Headers, an array: they have no names of their own, and all would be lost in silence.
  checkArgument(
    'params',
    params,
    !(Symbol.iterator in params) && !isInstance(params),
    `a plain ${expected.slice(3)}`,
  );
  checkText('REQUEST_METHOD', params['REQUEST_METHOD']);
  if (params['REQUEST_METHOD'] === undefined || params['REQUEST_METHOD'].length === 0) {
    const option = 'params.REQUEST_METHOD';
    throw new ArgumentError(
      'FCGI_ERR_INVALID_ARG',
      option,
      `${option} is missing: 'GET', 'POST' or another method`,
    );
  }
  // It is looked at before the params are encoded, where each value is checked.
  checkText('CONTENT_LENGTH', params['CONTENT_LENGTH']);
}

function checkText(name: string, value: unknown): void {
  const good = value === undefined || typeof value === 'string' || isUint8Array(value);
  checkArgument(`params.${name}`, value, good, 'a string or a Uint8Array');
}

function isOptional(value: unknown, type: 'boolean' | 'function' | 'string'): boolean {
  return value === undefined || typeof value === type;
}

/** Of a class: its prototype is not that of plain objects, which has none itself. Other realms have their own. */
function isInstance(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== null && Object.getPrototypeOf(prototype) !== null;
}

/** By what it can do: a signal may come from another realm. */
function isSignal(value: object): boolean {
  return isObject(value) && 'aborted' in value && 'addEventListener' in value;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
