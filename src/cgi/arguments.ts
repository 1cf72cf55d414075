/** The arguments of `buildParams`, checked: JavaScript has no types that would, and TypeScript's end where JSON begins. */
import { checkArgument, checkIsOptions, checkNames, isOptions } from '../arguments.ts';
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
  const { method, url, headers, protocol, remote, local, tls, contentLength } = http;
  checkArgument('method', method, typeof method === 'string', 'a string');
  checkArgument('url', url, typeof url === 'string', 'a string');
  checkArgument('headers', headers, arePairs(headers), 'a list of pairs, such as [["Host", "localhost"]]');
  checkArgument('protocol', protocol, protocol === undefined || typeof protocol === 'string', 'a string');
  checkEndpoint('remote', remote);
  checkEndpoint('local', local);
  checkArgument('tls', tls, tls === undefined || typeof tls === 'boolean', 'true or false');
  const isLength = contentLength === undefined || (Number.isSafeInteger(contentLength) && contentLength >= 0);
  checkArgument('contentLength', contentLength, isLength, 'a whole number of bytes from 0');
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

function checkEndpoint(name: string, value: unknown): void {
  if (value === undefined) return;
  const good =
    isOptions(value) && typeof value['address'] === 'string' && Number.isSafeInteger(value['port']);
  checkArgument(name, value, good, '{ address, port }');
}

function arePairs(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Symbol.iterator in value && (!Array.isArray(value) || value.every(areStrings));
}

function areStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
