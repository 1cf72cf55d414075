/** What a Pool refuses a mock refuses, in the same words: a test is to fail where the application would. */
import { Readable } from 'node:stream';
import { isUint8Array } from 'node:util/types';
import {
  checkArgument,
  isOptions,
  kindOf,
  noBody,
  noPiece,
  unknownName,
  whyUnreadable,
} from '../../arguments.ts';
import { ArgumentError } from '../../errors.ts';
import { RequestEncoder } from '../../protocol/index.ts';
import type { MockDispatchRequest, MockHandler, RecordedRequest } from './types.ts';

/** All that a request may have. Spelled out as the type's own keys, so that none can be forgotten. */
const KNOWN: Readonly<Record<keyof MockDispatchRequest, true>> = {
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

const known: readonly string[] = Object.keys(KNOWN);
const POLICIES: readonly unknown[] = ['unexecuted', 'never', 'idempotent', 'always'];

/** Null: it may be run. Else FCGI_ERR_INVALID_ARG, FCGI_ERR_PARAM_TOO_LARGE, or what a getter of the caller's has thrown. */
export function refusalOf(
  request: MockDispatchRequest,
  handler: MockHandler,
): { readonly error: unknown } | null {
  try {
    check(request);
    checkHandler(handler);
    return null;
  } catch (error) {
    return { error };
  }
}

function check(request: MockDispatchRequest): void {
  checkArgument('request', request, isOptions(request), 'an object');
  for (const key in request) {
    if (!known.includes(key) && !(key in Object.prototype)) throw unknownName(key, known, 'a request');
  }
  checkParams(request.params);
  const { signal, retry } = request;
  checkArgument('signal', signal, signal === undefined || isSignal(signal), 'an AbortSignal');
  checkKinds(request, ['idempotent', 'closeOnAbort'], 'boolean', 'true or false');
  checkKinds(request, ['onStderr', 'onAbort'], 'function', 'a function');
  checkKinds(request, ['server'], 'string', 'an address');
  if (retry !== undefined && !POLICIES.includes(retry))
    throw invalid('retry', `must be one of ${POLICIES.join(', ')}, not ${shown(retry)}`);
  for (const name of ['timeout', 'headersTimeout', 'bodyTimeout'] as const) {
    const value: unknown = request[name];
    if (!isTime(value)) throw invalid(name, `must be a number of ms from 0, not ${shown(value)}`);
  }
}

/** What cannot be sent. A Pool finds that once it has called onRequestStart. */
export function checkContent(request: MockDispatchRequest): void {
  const { params, body } = request;
  // It is found where it is encoded: bytes are bytes, with a client or without.
  new RequestEncoder().params(params);
  checkBody(body);
  const declared = declaredLength(request);
  if (declared === null) return;
  if (body === undefined || body === null) {
    if (declared !== 0) throw wrongLength(declared, 'there is no body');
  } else if (typeof body === 'string' || isUint8Array(body)) {
    const length = Buffer.byteLength(body);
    if (declared !== length) throw wrongLength(declared, `the body has ${length} bytes`);
  }
}

function checkHandler({ onRequestStart, onResponseStart, onResponseData, onResponseEnd }: MockHandler): void {
  const callbacks = { onResponseStart, onResponseData, onResponseEnd };
  for (const [name, callback] of Object.entries(
    onRequestStart ? { ...callbacks, onRequestStart } : callbacks,
  ))
    checkArgument(`handler.${name}`, callback, typeof callback === 'function', 'a function');
}

function checkParams(params: MockDispatchRequest['params']): void {
  checkArgument(
    'params',
    params,
    typeof params === 'object' && params !== null,
    'an object of strings and Uint8Arrays',
  );
  checkArgument('params', params, isPlain(params), 'a plain object of strings and Uint8Arrays');
  // These two are looked at before they are encoded.
  for (const name of ['REQUEST_METHOD', 'CONTENT_LENGTH']) {
    const value: unknown = params[name];
    const good = value === undefined || typeof value === 'string' || isUint8Array(value);
    checkArgument(`params.${name}`, value, good, 'a string or a Uint8Array');
  }
  const method = params['REQUEST_METHOD'];
  if (method === undefined || method.length === 0)
    throw invalid('params.REQUEST_METHOD', "is missing: 'GET', 'POST' or another method");
}

function checkKinds(
  request: MockDispatchRequest,
  names: readonly (keyof MockDispatchRequest)[],
  type: 'boolean' | 'function' | 'string',
  expected: string,
): void {
  for (const name of names) {
    const value: unknown = request[name];
    checkArgument(name, value, value === undefined || typeof value === type, expected);
  }
}

/** What can be no body, and what has nothing to give any more: PHP would get an empty one. */
function checkBody(body: unknown): void {
  if (body === undefined || body === null || typeof body === 'string' || isUint8Array(body)) return;
  if (typeof body !== 'object' || !(Symbol.asyncIterator in body)) throw wrongBody(noBody(body));
  const wrong = whyUnreadable(body);
  if (wrong !== null) throw wrongBody(wrong);
}

/** By what it can do: a signal may come from another realm. */
function isSignal(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value;
}

function isTime(value: unknown): boolean {
  return value === undefined || (typeof value === 'number' && Number.isFinite(value) && value >= 0);
}

/** Its body read, as by a Pool with this `replayBuffer`. `replayable`: that could send it once more. Rejects as readBody. */
export async function record(
  request: MockDispatchRequest,
  replayBuffer: number,
): Promise<{ readonly request: RecordedRequest; readonly replayable: boolean }> {
  const params: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(request.params)) {
    // A Pool leaves out what is not there, as `{ ...params, HTTP_X: headers['x'] }` has it.
    if (value === undefined) continue;
    params[name] = typeof value === 'string' ? value : Buffer.from(value).toString('utf8');
  }
  const body = await readBody(request, replayBuffer);
  const replayable = holdsBytes(request) || (declaredLength(request) ?? 0) <= replayBuffer;
  return { request: { params, body, text: body.toString('utf8'), request }, replayable };
}

/** A stream may be gone once it was read. */
export function holdsBytes(request: MockDispatchRequest): boolean {
  try {
    const { body } = request;
    return body === undefined || body === null || typeof body === 'string' || isUint8Array(body);
  } catch {
    return false;
  }
}

/**
 * Reads the body, and no further than a Pool with this `replayBuffer` does: there is no end to some.
 *
 * @throws ArgumentError FCGI_ERR_INVALID_ARG: CONTENT_LENGTH is no number, or the body gives something that is none; FCGI_ERR_BODY_LENGTH:
 * it is not as long as that; FCGI_ERR_BODY_LENGTH_REQUIRED: a stream that is too long to be sent without. And what the body throws.
 */
async function readBody(request: MockDispatchRequest, replayBuffer: number): Promise<Buffer> {
  const { body } = request;
  if (body === undefined || body === null) return Buffer.alloc(0);
  if (typeof body === 'string') return Buffer.from(body, 'utf8');
  if (isUint8Array(body)) return Buffer.from(body);
  const declared = declaredLength(request);
  const read: Buffer[] = [];
  let length = 0;
  for await (const piece of body) {
    const bytes = bytesOf(piece);
    read.push(bytes);
    length += bytes.length;
    if (declared !== null && length > declared)
      throw wrongLength(declared, `the body has ${length} bytes and more`);
    if (declared === null && length > replayBuffer) throw lengthRequired(replayBuffer);
  }
  if (declared !== null && declared !== length)
    throw wrongLength(declared, `the body ended after ${length} bytes`);
  return Buffer.concat(read);
}

/** A stream that has failed with it: that gives the request up. */
export function isOfBody(error: unknown, request: MockDispatchRequest): boolean {
  try {
    const { body } = request;
    return body instanceof Readable && body.errored === error;
  } catch {
    return false;
  }
}

function bytesOf(piece: unknown): Buffer {
  if (typeof piece === 'string' || isUint8Array(piece)) return Buffer.from(piece);
  throw wrongBody(noPiece(piece));
}

function declaredLength({ params }: MockDispatchRequest): number | null {
  const value = params['CONTENT_LENGTH'];
  if (value === undefined || value.length === 0) return null;
  const text = typeof value === 'string' ? value : Buffer.from(value).toString('latin1');
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const message = `CONTENT_LENGTH must be a number of bytes, not ${JSON.stringify(text)}`;
  throw new ArgumentError('FCGI_ERR_INVALID_ARG', 'params.CONTENT_LENGTH', message);
}

function wrongLength(declared: number, found: string): ArgumentError {
  const message = `CONTENT_LENGTH says ${declared} bytes, but ${found}`;
  return new ArgumentError('FCGI_ERR_BODY_LENGTH', 'body', message);
}

function lengthRequired(replayBuffer: number): ArgumentError {
  const message = `a stream longer than replayBuffer (${replayBuffer} bytes) needs CONTENT_LENGTH: PHP-FPM gives PHP no body without it`;
  return new ArgumentError('FCGI_ERR_BODY_LENGTH_REQUIRED', 'params.CONTENT_LENGTH', message);
}

/** A Map, Headers, an array: their values are no properties of theirs. */
function isPlain(params: object): boolean {
  if (Symbol.iterator in params) return false;
  const prototype: unknown = Object.getPrototypeOf(params);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function invalid(option: string, message: string): ArgumentError {
  return new ArgumentError('FCGI_ERR_INVALID_ARG', option, `${option} ${message}`);
}

function wrongBody(message: string): ArgumentError {
  return new ArgumentError('FCGI_ERR_INVALID_ARG', 'body', message);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'object' ? kindOf(value) : String(value);
}

/** No more is wanted of it: as a Pool does, a stream that was not read to its end is destroyed. */
export function discard(body: MockDispatchRequest['body']): void {
  if (body instanceof Readable && !('httpVersion' in body)) body.on('error', () => undefined).destroy();
}
