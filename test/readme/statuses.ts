/** What the gateway answers where a request fails with an error, as its code says it. */
import { ArgumentError, ConnectError, FcgiError, type FcgiErrorCode } from '../../src/errors.ts';
import { statusFor } from '../../src/gateway/reply/head.ts';

/** Told to `onError` or to the caller alone: no client is answered with them. */
const notAnswered: readonly string[] = ['FCGI_ERR_SCRIPT_NOT_FOUND', 'FCGI_ERR_ABORTED'];

export function statusesFor(code: string): string[] {
  if (notAnswered.includes(code)) return [];
  const statuses = errorsOf(code as FcgiErrorCode).map((error) => String(statusFor(error)));
  return [...new Set(statuses)];
}

/** One for each way in which an error of this code can come about, as far as the status hangs on it. */
function errorsOf(code: FcgiErrorCode): FcgiError[] {
  if (code === 'FCGI_ERR_PARAM_TOO_LARGE') {
    return ['params.REQUEST_URI', 'params.HTTP_COOKIE'].map((option) => new ArgumentError(code, option, ''));
  }
  if (code === 'FCGI_ERR_CONNECT_TIMEOUT') {
    return [new ConnectError(code, ''), new ConnectError(code, '', { cause: new Error('ECONNREFUSED') })];
  }
  return [new FcgiError(code, '')];
}
