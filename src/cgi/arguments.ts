/** The arguments of `buildParams`, checked: JavaScript has no types that would, and TypeScript's end where JSON begins. */
import { checkArgument, checkIsOptions, checkNames, isOptions, kindOf } from '../arguments.ts';
import { ArgumentError } from '../errors.ts';
import type { HttpFacts, ScriptOptions } from './env.ts';

const FACTS: Readonly<Record<keyof HttpFacts, true>> = {
  method: true,
  url: true,
  headers: true,
  protocol: true,
  remote: true,
  local: true,
  tls: true,
  contentLength: true,
};

const SCRIPT: Readonly<Record<keyof ScriptOptions, true>> = {
  root: true,
  index: true,
  splitPath: true,
  frontController: true,
  fpmPages: true,
  params: true,
};

/** Throws FCGI_ERR_INVALID_ARG that names the fact. */
export function checkFacts(http: HttpFacts): void {
  checkIsOptions('request', http);
  checkNames(http, FACTS, 'the request of buildParams()');
  const { method, url, protocol, remote, local, tls, contentLength } = http;
  checkArgument('method', method, typeof method === 'string', 'a string');
  checkArgument('url', url, typeof url === 'string', 'a string');
  checkArgument('protocol', protocol, protocol === undefined || typeof protocol === 'string', 'a string');
  checkEndpoint('remote', remote);
  checkEndpoint('local', local);
  checkArgument('tls', tls, tls === undefined || typeof tls === 'boolean', 'true or false');
  const isLength = contentLength === undefined || (Number.isSafeInteger(contentLength) && contentLength >= 0);
  checkArgument('contentLength', contentLength, isLength, 'a whole number of bytes from 0');
}

/** The headers, which may be such as can be read only once. Throws FCGI_ERR_INVALID_ARG that names the one that cannot be. */
export function checkedHeaders({ headers }: HttpFacts): (readonly [string, string])[] {
  const isList = typeof headers === 'object' && headers !== null && Symbol.iterator in headers;
  // As node's `request.headers` are.
  if (isOptions(headers)) {
    const message = `headers must be ${aListOfPairs}, not ${kindOf(headers)}: give Object.entries(it)`;
    throw new ArgumentError('FCGI_ERR_INVALID_ARG', 'headers', message);
  }
  checkArgument('headers', headers, isList, aListOfPairs);
  return Array.from(headers, checkedHeader);
}

const aListOfPairs = 'a list of pairs, such as [["Host", "localhost"]]';

function checkedHeader(pair: readonly [string, string]): readonly [string, string] {
  const isPair = Array.isArray(pair) && pair.length === 2 && typeof pair[0] === 'string';
  checkArgument('headers', pair, isPair, aListOfPairs);
  const [name, value] = pair;
  if (typeof value === 'string') return pair;
  const message = `The request header ${name} must be a string, not ${kindOf(value)}`;
  throw new ArgumentError('FCGI_ERR_INVALID_ARG', 'headers', message);
}

/** Throws FCGI_ERR_INVALID_ARG that names the option. */
export function checkScriptOptions(script: ScriptOptions): void {
  checkIsOptions('options', script);
  checkNames(script, SCRIPT, 'buildParams()');
  const { root, index, splitPath, frontController, fpmPages, params } = script;
  checkArgument('root', root, typeof root === 'string' && root !== '', 'the path of the document root');
  const isName = typeof index === 'string' && index !== '';
  checkArgument('index', index, index === undefined || isName, 'the name of a script');
  checkArgument(
    'splitPath',
    splitPath,
    splitPath === undefined || areStrings(splitPath),
    'a list of strings',
  );
  const isScript = typeof frontController === 'string' && frontController.startsWith('/');
  const wanted = 'a script such as "/index.php"';
  checkArgument('frontController', frontController, frontController === undefined || isScript, wanted);
  checkArgument('fpmPages', fpmPages, fpmPages === undefined || areStrings(fpmPages), 'a list of strings');
  checkArgument(
    'params',
    params,
    params === undefined || isOptions(params),
    'an object of strings and Uint8Arrays',
  );
}

/** Throws FCGI_ERR_INVALID_ARG that names the end of the connection. */
export function checkEndpoint(name: 'remote' | 'local', value: unknown): void {
  if (value === undefined) return;
  const good =
    isOptions(value) &&
    typeof value['address'] === 'string' &&
    (value['port'] === undefined || Number.isSafeInteger(value['port']));
  checkArgument(name, value, good, '{ address, port }');
}

function areStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
