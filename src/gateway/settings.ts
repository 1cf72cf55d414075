/** The options of a gateway, checked once: a mistake is an error when the handler is made, not at the first visitor. */
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { checkIsOptions, checkNames, isOptions } from '../arguments.ts';
import { defaultFpmPages, type Params } from '../cgi/env.ts';
import { defaultSplitPath } from '../cgi/script.ts';
import { errorText } from '../errors.ts';
import {
  callback,
  flag,
  folder,
  isRelativeName,
  milliseconds,
  oneOf,
  size,
  strings,
  wrong,
} from './checks.ts';
import { checkSpoolFolder } from './nameless-file.ts';
import type { GatewayOptions } from './options.ts';
import { HandoverFiles, type Mapping } from './reply/handover.ts';
import type { TempFileLimits } from './reply/waiting/temp-file.ts';
import { paramsOf } from './request/params-option.ts';
import { forwardedHeaders, TrustedProxies } from './request/proxies.ts';
import type { SpoolLimits } from './request/spool.ts';
import { type AmbiguousPaths, ambiguousPaths, mount } from './site/place-options.ts';
import { type FilesSettings, filesSettings } from './site/static/files-options.ts';
import { MediaTypes } from './site/static/media-types.ts';
import { triedFiles } from './site/try-files.ts';

/** The options, checked and complete. */
export interface Settings<Req> {
  /** Null: no file is looked at. */
  readonly root: string | null;
  readonly fpmRoot: string;
  readonly index: readonly string[];
  readonly frontController: string | undefined;
  /** Endings that make a script of a path at which there is nothing. */
  readonly trySuffixes: readonly string[];
  readonly splitPath: readonly string[];
  /** Real paths. */
  readonly allowSymlinksTo: readonly string[];
  readonly resolveRootSymlink: boolean;
  /** '' or a decoded path without a slash at its end. */
  readonly mount: string;
  /** Null: none is sent. */
  readonly files: FilesSettings | null;
  readonly mediaTypes: MediaTypes;
  readonly ambiguousPaths: AmbiguousPaths;
  readonly paramsOf: (request: Req) => Params | undefined;
  /** Null: whom the framework trusts. */
  readonly proxies: TrustedProxies | null;
  readonly forwardedHeaders: ReadonlySet<string>;
  readonly fpmPages: ReadonlySet<string>;
  /** Bytes, or Infinity. */
  readonly maxBodySize: number;
  readonly requestBuffering: boolean;
  readonly spool: SpoolLimits;
  /** Milliseconds; 0: no limit. */
  readonly bodyReadTimeout: number;
  /** Bytes; 0: none but what each reply has for itself. */
  readonly responseBuffering: number;
  /** Bytes. */
  readonly responseBufferTotal: number;
  /** Null: PHP waits where a reply is more than its client and the memory take. */
  readonly tempFile: TempFileLimits | null;
  /** Milliseconds; 0: no limit. */
  readonly sendTimeout: number;
  readonly outlivesClient: boolean;
  readonly handover: HandoverFiles | null;
  readonly errorPage: GatewayOptions<Req>['errorPage'];
  readonly interceptErrors: boolean;
  readonly onError: GatewayOptions<Req>['onError'];
  readonly onEnd: GatewayOptions<Req>['onEnd'];
  readonly onStderr: ((chunk: Uint8Array, request: Req) => void) | undefined;
}

const known: Record<keyof GatewayOptions<unknown>, true> = {
  root: true,
  fpmRoot: true,
  index: true,
  tryFiles: true,
  frontController: true,
  splitPath: true,
  allowSymlinksTo: true,
  resolveRootSymlink: true,
  mount: true,
  ambiguousPaths: true,
  files: true,
  params: true,
  allowControlParams: true,
  trustedProxies: true,
  forwardedHeaders: true,
  fpmPages: true,
  maxBodySize: true,
  requestBuffering: true,
  spoolMemory: true,
  spoolFolder: true,
  bodyReadTimeout: true,
  responseBuffering: true,
  responseBufferTotal: true,
  maxTempFileSize: true,
  sendTimeout: true,
  onClientAbort: true,
  xAccelRedirect: true,
  xSendfile: true,
  errorPage: true,
  interceptErrors: true,
  onError: true,
  onEnd: true,
  onStderr: true,
};

/** @throws ArgumentError FCGI_ERR_INVALID_ARG, naming the option. */
export function readOptions<Req>(options: GatewayOptions<Req>): Settings<Req> {
  checkIsOptions('options', options);
  checkNames(options, known, 'a gateway');
  // Defaults stand for what is undefined, not for null: that is a mistake, and the checks below name it.
  const {
    allowSymlinksTo = [],
    trustedProxies,
    maxBodySize: limit = 128 * 1024 * 1024,
    requestBuffering = true,
    spoolMemory = 65_536,
    spoolFolder,
    bodyReadTimeout = 60_000,
    responseBuffering = 1024 * 1024,
    responseBufferTotal = 64 * 1024 * 1024,
    maxTempFileSize = 0,
    sendTimeout = 60_000,
    onClientAbort = 'close',
  } = options;
  const { splitPath: endings = defaultSplitPath, fpmPages: pages = defaultFpmPages } = options;
  const { forwardedHeaders: forwarded = ['x-forwarded-for', 'x-forwarded-proto'] } = options;
  const splitPath = strings('splitPath', endings);
  for (const suffix of splitPath) {
    if (!/^\.[!-.0-~]+$/.test(suffix))
      throw wrong('splitPath', 'holds endings such as ".php": a dot, then ASCII');
  }
  if (splitPath.length === 0) throw wrong('splitPath', 'is empty: no script could be named');
  const files = filesSettings(options.files);
  const { index = files ? ['index.php', 'index.html'] : 'index.php' } = options;
  const names = typeof index === 'string' ? [index] : strings('index', index);
  for (const name of names) {
    if (!isRelativeName(name)) throw wrong('index', 'holds names of files such as "index.php"');
  }
  const tried = triedFiles(options.tryFiles, frontController(options.frontController, splitPath), splitPath);
  const maxBodySize = size('maxBodySize', limit) === 0 ? Number.POSITIVE_INFINITY : limit;
  const buffering = responseBuffering === false ? 0 : size('responseBuffering', responseBuffering);
  const tempFile = {
    size: size('maxTempFileSize', maxTempFileSize),
    folder: spoolFolder === undefined ? tmpdir() : writableFolder(spoolFolder),
  };
  return {
    ...roots(options),
    index: names,
    frontController: tried.last,
    trySuffixes: tried.suffixes,
    splitPath,
    allowSymlinksTo: strings('allowSymlinksTo', allowSymlinksTo).map((path) =>
      resolve(folder('allowSymlinksTo', path)),
    ),
    resolveRootSymlink: resolveRootSymlink(options),
    mount: mount(options.mount),
    files,
    mediaTypes: new MediaTypes(),
    ambiguousPaths: ambiguousPaths(options.ambiguousPaths),
    paramsOf: paramsOf(options),
    proxies:
      trustedProxies === undefined ? null : new TrustedProxies(strings('trustedProxies', trustedProxies)),
    forwardedHeaders: forwardedHeaders(strings('forwardedHeaders', forwarded)),
    fpmPages: fpmPages(pages),
    maxBodySize,
    requestBuffering: flag('requestBuffering', requestBuffering),
    spool: { memory: size('spoolMemory', spoolMemory), size: maxBodySize, folder: tempFile.folder },
    bodyReadTimeout: milliseconds('bodyReadTimeout', bodyReadTimeout),
    responseBuffering: buffering,
    responseBufferTotal: size('responseBufferTotal', responseBufferTotal),
    tempFile: buffering > 0 && tempFile.size > 0 ? tempFile : null,
    sendTimeout: milliseconds('sendTimeout', sendTimeout),
    outlivesClient: oneOf('onClientAbort', ['close', 'finish'], onClientAbort) === 'finish',
    handover: handover(options),
    errorPage: callback('errorPage', options.errorPage),
    interceptErrors: interceptErrors(options),
    onError: callback('onError', options.onError),
    onEnd: callback('onEnd', options.onEnd),
    onStderr: callback('onStderr', options.onStderr),
  };
}

function roots(options: GatewayOptions<never>): { root: string | null; fpmRoot: string } {
  const { root, fpmRoot } = options;
  if (root !== undefined) folder('root', root);
  if (fpmRoot !== undefined && (typeof fpmRoot !== 'string' || !/^\/[^\0]*$/.test(fpmRoot))) {
    throw wrong('fpmRoot', 'must be an absolute path');
  }
  // resolve(): PHP-FPM has another working directory; not the real path, as a release folder is switched by its link
  const here = root === undefined ? null : resolve(root);
  const there = fpmRoot ?? here;
  if (there === null) throw wrong('root', 'is missing: give root, or fpmRoot where the files are not here');
  return { root: here, fpmRoot: there };
}

function writableFolder(given: unknown): string {
  const path = folder('spoolFolder', given);
  try {
    checkSpoolFolder(path);
    return path;
  } catch (error) {
    throw wrong('spoolFolder', `"${path}" takes no file (${errorText(error)})`);
  }
}

function resolveRootSymlink(options: GatewayOptions<never>): boolean {
  const { resolveRootSymlink: given = false } = options;
  const resolves = flag('resolveRootSymlink', given);
  if (resolves && (options.root === undefined || options.fpmRoot !== undefined)) {
    throw wrong(
      'resolveRootSymlink',
      'needs root, and no fpmRoot: the link must lead to the same place for PHP-FPM',
    );
  }
  return resolves;
}

function interceptErrors(options: GatewayOptions<never>): boolean {
  const { interceptErrors: given = false } = options;
  const intercepts = flag('interceptErrors', given);
  if (intercepts && !options.errorPage)
    throw wrong('interceptErrors', 'needs errorPage, which makes the pages');
  return intercepts;
}

function handover(options: GatewayOptions<never>): HandoverFiles | null {
  const { xAccelRedirect = {}, xSendfile = [] } = options;
  if (!isOptions(xAccelRedirect)) {
    throw wrong('xAccelRedirect', 'must be an object of paths and folders');
  }
  const mappings = Object.entries(xAccelRedirect).map(([prefix, path]): Mapping => {
    if (!/^\/(?:.*\/)?$/.test(prefix))
      throw wrong('xAccelRedirect', `has paths such as "/protected/", not "${prefix}"`);
    return [prefix, resolve(folder('xAccelRedirect', path))];
  });
  const folders = strings('xSendfile', xSendfile).map((path) => resolve(folder('xSendfile', path)));
  return mappings.length + folders.length === 0 ? null : new HandoverFiles(mappings, folders);
}

function fpmPages(value: unknown): ReadonlySet<string> {
  const pages = strings('fpmPages', value);
  if (!pages.every((page) => page.startsWith('/'))) throw wrong('fpmPages', 'holds paths such as "/status"');
  return new Set(pages);
}

function frontController(value: unknown, splitPath: readonly string[]): string | undefined {
  if (value === undefined) return undefined;
  const fits =
    typeof value === 'string' &&
    value.startsWith('/') &&
    isRelativeName(value.slice(1)) &&
    splitPath.some((suffix) => value.endsWith(suffix));
  if (!fits)
    throw wrong('frontController', `must be a script below the root, such as "/index${splitPath[0]}"`);
  return value;
}
