/**
 * What a request is in the words of OpenTelemetry's semantic conventions: those of HTTP clients where they fit, our own
 * `fastcgi.client.*` else. Pure functions over the messages of our channels.
 * This folder: spans' names and attributes, and the propagation into params; pure.
 */
import type { Attributes } from '@opentelemetry/api';
import type { RequestMessage, ServerAddress } from '../../connection/channels.ts';
import { FcgiError, isError } from '../../errors.ts';

/** RFC 9110 and RFC 5789; what else a client may have made up would be a label of its own each. */
const METHODS: ReadonlySet<string> = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'TRACE',
]);

export function methodOf({ params }: RequestMessage): string {
  const method = textOf(params['REQUEST_METHOD']);
  return METHODS.has(method) ? method : '_OTHER';
}

/**
 * `GET /index.php`: the script, of which there are few, and not the path, of which there are many. The conventions have `HTTP` in a
 * name for a method that they do not know, and `_OTHER` in attributes alone.
 */
export function spanName(message: RequestMessage): string {
  const known = methodOf(message);
  const method = known === '_OTHER' ? 'HTTP' : known;
  const script = textOf(message.params['SCRIPT_NAME']);
  return script === '' ? method : `${method} ${script}`;
}

/** Known as it begins. The query is left out: it may hold secrets. */
export function requestAttributes(message: RequestMessage): Attributes {
  const { params } = message;
  const given = textOf(params['REQUEST_METHOD']);
  const method = methodOf(message);
  const [path = ''] = textOf(params['REQUEST_URI']).split('?', 1);
  return {
    'network.protocol.name': 'fastcgi',
    'http.request.method': method,
    ...(method === given ? {} : { 'http.request.method_original': given }),
    ...some('url.path', path),
    ...some('fastcgi.client.script', textOf(params['SCRIPT_FILENAME'])),
  };
}

/** `server.address` of a unix socket is its path, as the conventions say. */
export function serverAttributes(
  server: { readonly [K in keyof ServerAddress]: ServerAddress[K] | null },
): Attributes {
  const { serverAddress, serverPort } = server;
  if (serverAddress === null) return {};
  return {
    'server.address': serverAddress,
    'network.transport': serverPort === null ? 'unix' : 'tcp',
    ...(serverPort === null ? {} : { 'server.port': serverPort }),
  };
}

/** Known at its end. */
export function endAttributes(message: RequestMessage): Attributes {
  const { attempts, reused, statusCode, facts } = message;
  const failed = errorType(message);
  return {
    ...serverAttributes(message),
    ...(statusCode === null ? {} : { 'http.response.status_code': statusCode }),
    ...(attempts > 1 ? { 'http.request.resend_count': attempts - 1 } : {}),
    ...some('error.type', failed),
    'fastcgi.client.connection.reused': reused,
    ...(facts === undefined
      ? { 'fastcgi.client.executed': 'yes' }
      : { 'fastcgi.client.executed': facts.executed, 'fastcgi.client.phase': facts.phase }),
    ...some('fastcgi.client.hint', facts?.hint ?? ''),
  };
}

/** Of the metric of a request's duration: few values each. */
export function metricAttributes(message: RequestMessage): Attributes {
  const { statusCode } = message;
  return {
    'network.protocol.name': 'fastcgi',
    'http.request.method': methodOf(message),
    ...serverAttributes(message),
    ...(statusCode === null ? {} : { 'http.response.status_code': statusCode }),
    ...some('error.type', errorType(message)),
  };
}

/** Our error's code, else the name of the caller's own; `'500'`: PHP's answer, from 400 on as for HTTP clients. '' for none. */
export function errorType({ error, facts, statusCode }: RequestMessage): string {
  if (facts !== undefined || error !== undefined) {
    if (error instanceof FcgiError) return error.code;
    return isError(error) ? error.name : '_OTHER';
  }
  return statusCode !== null && statusCode >= 400 ? String(statusCode) : '';
}

/** The CGI name of a header: what PHP has it by in $_SERVER. */
export function paramOf(header: string): string {
  return `HTTP_${header.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
}

export function textOf(value: string | Uint8Array | undefined): string {
  if (value === undefined || typeof value === 'string') return value ?? '';
  return Buffer.from(value).toString('utf8');
}

function some(name: string, value: string): Attributes {
  return value === '' ? {} : { [name]: value };
}
