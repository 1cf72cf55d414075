/** What a gateway is told, checked once: a mistake is an error when the handler is made, not at the first visitor. */
import { realpathSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import type { Params } from '../cgi/env.ts';
import { defaultSplitPath } from '../cgi/script.ts';
import { ArgumentError } from '../errors.ts';
import type { SpoolLimits } from './spool.ts';

/** `Req` is the request as the server gives it: node's, or a `Request`. */
export interface GatewayOptions<Req> {
  /**
   * The document root here. A script runs only where it is a regular file whose real path is below it. What exists is
   * looked at again after a second, by a synchronous stat and realpath: on a local disk that is far cheaper (8 us)
   * than the thread pool (50 us and more), but a network drive would stall the process.
   *
   * Without `root` (the files are on another host) nothing is looked at: a path that names a script is sent as it
   * is, all else to the front controller. PHP-FPM then refuses what does not exist and what
   * `security.limit_extensions` does not allow; nobody checks links out of the root, folders get no redirect, and
   * in `/uploads/evil.jpg/x.php` only `cgi.fix_pathinfo = 0` keeps PHP from running the picture.
   */
  readonly root?: string | undefined;
  /** The document root as PHP-FPM sees it, an absolute path. Default: `root`. One of both is needed. */
  readonly fpmRoot?: string | undefined;
  /** Scripts to try for a folder, in order; a name that is no script is left to `next`. Default 'index.php'. */
  readonly index?: string | readonly string[] | undefined;
  /** The script (`/index.php`) that gets every path at which there is neither a script nor another file. Default none. */
  readonly frontController?: string | undefined;
  /** How names of scripts end; the first such segment that exists is the script, the rest PATH_INFO. Default ['.php']. */
  readonly splitPath?: readonly string[] | undefined;
  /** Folders outside `root` to which symbolic links in it may lead. Default none. */
  readonly allowSymlinksTo?: readonly string[] | undefined;
  /** Params set last, for all requests or made for each: they win over what a client sends. */
  readonly params?: Params | ((request: Req) => Params) | undefined;
  /** Bytes; a larger request body is answered 413. Default 134217728 (128 MiB); 0: no limit. */
  readonly maxBodySize?: number | undefined;
  /** Bytes of a body of unknown length (chunked) to keep in memory; what is longer goes to a file. Default 65536. */
  readonly spoolMemory?: number | undefined;
  /** Folder of these files, which have no name there and vanish with the request. Default: the system's. */
  readonly spoolFolder?: string | undefined;
  /** Why a request was answered with an error of ours, or cut short: for the log. The client is not told. */
  readonly onError?: ((error: unknown, request: Req) => void) | undefined;
  /** What PHP writes to STDERR, as it comes. */
  readonly onStderr?: ((chunk: Uint8Array, request: Req) => void) | undefined;
}

/** The options, checked and complete. */
export interface Settings<Req> {
  /** Null: no file is looked at. */
  readonly root: string | null;
  readonly fpmRoot: string;
  readonly index: readonly string[];
  readonly frontController: string | undefined;
  readonly splitPath: readonly string[];
  /** Real paths. */
  readonly allowSymlinksTo: readonly string[];
  readonly paramsOf: (request: Req) => Params | undefined;
  /** Bytes, or Infinity. */
  readonly maxBodySize: number;
  readonly spool: SpoolLimits;
  readonly onError: ((error: unknown, request: Req) => void) | undefined;
  readonly onStderr: ((chunk: Uint8Array, request: Req) => void) | undefined;
}

const known: Record<keyof GatewayOptions<unknown>, true> = {
  root: true,
  fpmRoot: true,
  index: true,
  frontController: true,
  splitPath: true,
  allowSymlinksTo: true,
  params: true,
  maxBodySize: true,
  spoolMemory: true,
  spoolFolder: true,
  onError: true,
  onStderr: true,
};

/** @throws ArgumentError FCGI_ERR_INVALID_ARG, naming the option. */
export function readOptions<Req>(options: GatewayOptions<Req>): Settings<Req> {
  if (typeof options !== 'object' || options === null) throw wrong('options', 'must be an object');
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(known, name)) throw wrong(name, 'is not an option of a gateway');
  }
  const splitPath = strings('splitPath', options.splitPath ?? defaultSplitPath);
  for (const suffix of splitPath) {
    if (!/^\.[!-.0-~]+$/.test(suffix))
      throw wrong('splitPath', 'holds endings such as ".php": a dot, then ASCII');
  }
  if (splitPath.length === 0) throw wrong('splitPath', 'is empty: no script could be named');
  const { index = 'index.php' } = options;
  const names = typeof index === 'string' ? [index] : strings('index', index);
  for (const name of names) {
    if (!isRelativeName(name)) throw wrong('index', 'holds names of files such as "index.php"');
  }
  const limit = size('maxBodySize', options.maxBodySize ?? 128 * 1024 * 1024);
  const maxBodySize = limit === 0 ? Number.POSITIVE_INFINITY : limit;
  return {
    ...roots(options),
    index: names,
    frontController: frontController(options.frontController, splitPath),
    splitPath,
    allowSymlinksTo: strings('allowSymlinksTo', options.allowSymlinksTo ?? []).map((path) =>
      realFolder('allowSymlinksTo', path),
    ),
    paramsOf: paramsOf(options.params),
    maxBodySize,
    spool: {
      memory: size('spoolMemory', options.spoolMemory ?? 65_536),
      size: maxBodySize,
      folder: options.spoolFolder === undefined ? tmpdir() : folder('spoolFolder', options.spoolFolder),
    },
    onError: callback('onError', options.onError),
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

function paramsOf<Req>(params: GatewayOptions<Req>['params']): Settings<Req>['paramsOf'] {
  if (typeof params === 'function') return params;
  if (params !== undefined && (typeof params !== 'object' || params === null)) {
    throw wrong('params', 'must be an object of strings and Uint8Arrays, or a function that makes one');
  }
  for (const [name, value] of Object.entries(params ?? {})) {
    if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
      throw wrong('params', `must hold strings and Uint8Arrays, and ${name} is neither`);
    }
  }
  return () => params;
}

/** As bytes (latin1), the way files.ts compares them. */
function realFolder(option: string, path: unknown): string {
  return realpathSync.native(folder(option, path), 'latin1');
}

function folder(option: string, path: unknown): string {
  if (typeof path !== 'string' || path === '') throw wrong(option, 'must be the path of a folder');
  let isFolder = false;
  let problem = 'is no folder';
  try {
    isFolder = statSync(path).isDirectory();
  } catch (error) {
    problem = error instanceof Error ? `cannot be used (${error.message})` : problem;
  }
  if (!isFolder) throw wrong(option, `"${path}" ${problem}`);
  return path;
}

function isRelativeName(name: string): boolean {
  return name.split('/').every((segment) => /^[^.\0][^\0]*$/.test(segment));
}

function strings(option: string, value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.some((entry) => typeof entry !== 'string')) {
    throw wrong(option, 'must be a list of strings');
  }
  return [...value];
}

function size(option: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw wrong(option, 'must be a whole number of bytes, 0 or more');
  }
  return value;
}

function callback<F>(option: string, value: F | undefined): F | undefined {
  if (value !== undefined && typeof value !== 'function') throw wrong(option, 'must be a function');
  return value;
}

function wrong(option: string, problem: string): ArgumentError {
  return new ArgumentError('FCGI_ERR_INVALID_ARG', option, `Option ${option} ${problem}`);
}
