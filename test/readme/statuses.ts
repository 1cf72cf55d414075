/** What the gateway answers where a request fails with an error, as its code says it. */
import { ArgumentError, ConnectError, FcgiError, type FcgiErrorCode } from '../../src/errors.ts';
import { statusFor } from '../../src/gateway/reply/head.ts';
import { StalledBody } from '../../src/gateway/request/client-body.ts';

/** No client is answered with them: nobody is told, or the gateway sees to it before. */
const notAnswered: readonly string[] = [
  'FCGI_ERR_SCRIPT_NOT_FOUND',
  'FCGI_ERR_ABORTED',
  'FCGI_ERR_BODY_LENGTH_REQUIRED',
  'FCGI_ERR_PARAMS',
  'FCGI_ERR_RECORD_TRAILING',
];

/** What a client asks for, and gets none of, before the pool is asked: see Site. */
const ofClients: readonly string[] = ['400', '404'];

export function statusesFor(code: string): string[] {
  if (notAnswered.includes(code)) return [];
  const statuses = errorsOf(code as FcgiErrorCode).map((error) => String(statusFor(error)));
  if (code === 'FCGI_ERR_INVALID_ARG') statuses.unshift(...ofClients);
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
  if (code === 'FCGI_ERR_BODY_LENGTH') return [new ArgumentError(code, 'body', ''), new StalledBody(0)];
  return [new FcgiError(code, '')];
}
