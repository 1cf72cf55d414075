/**
 * `--dev`: the application's own Vite in middleware mode, on our port. What it could read is more than DOCROOT: so names that
 * are never sent are not asked of it, but for its own modules and those of packages.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import nodeModule from 'node:module';
import type { Server } from 'node:net';
import { dirname, join, posix } from 'node:path';
import type { NodeRequest, NodeResponse } from '../../gateway/node.ts';
import { isNeverSent } from '../../gateway/site/never-sent.ts';
import { importFile } from '../import-file.ts';
import { reasonOf } from '../text.ts';
import { UsageError } from '../usage-error.ts';

type Middleware = (req: NodeRequest, res: NodeResponse, next: () => void) => void;

/** What of connect's application is needed: a function of four arguments is told of errors. */
interface Connect {
  use(handler: (error: unknown, req: object, res: unknown, next: (error: unknown) => void) => void): unknown;
}

export interface ViteServer {
  readonly middlewares: Middleware;
  /** Whether a WebSocket is Vite's own, or for a server that its configuration has as a proxy. */
  takes(request: IncomingMessage): boolean;
  close(): Promise<void>;
}

/** What is needed of Vite's own server. */
interface Vite extends Pick<ViteServer, 'middlewares' | 'close'> {
  readonly config?: {
    readonly base?: string;
    readonly server?: { readonly proxy?: object; readonly ws?: unknown; readonly hmr?: unknown };
  };
}

const ownProtocols: ReadonlySet<string> = new Set(['vite-hmr', 'vite-ping']);

const configName = /^vite\.config\.[cm]?[jt]s$/;

/** The nearest folder from DOCROOT upwards that has a configuration of Vite. Throws a UsageError where none has. */
export function viteRoot(docroot: string): string {
  for (let folder = docroot; ; folder = dirname(folder)) {
    if (readdirSync(folder).some((name) => configName.test(name))) return folder;
    if (folder === dirname(folder)) {
      throw new UsageError(`--dev: neither DOCROOT nor a folder above it has a vite.config.js (${docroot})`);
    }
  }
}

/**
 * `server`: whose upgrades to WebSockets are Vite's; `say`: what Vite tells, which would be among the lines of the access log
 * else. Throws a UsageError where the application has no Vite.
 */
export async function startVite(
  root: string,
  server: Server,
  say: (text: string) => void,
): Promise<ViteServer> {
  const { createServer } = await importFile(viteModule(root));
  if (typeof createServer !== 'function') throw new UsageError('--dev: this Vite has no createServer()');
  const failed = new WeakSet<object>();
  const vite: unknown = await createServer({
    root,
    plugins: [noteOf(failed)],
    appType: 'custom',
    // files in DOCROOT are ours to judge
    publicDir: false,
    customLogger: {
      hasWarned: false,
      info: say,
      warn: say,
      warnOnce: say,
      error: say,
      clearScreen: () => {},
      hasErrorLogged: () => false,
    },
    server: { middlewareMode: { server }, hmr: { server } },
  });
  if (!isVite(vite)) throw new UsageError('--dev: this Vite has no middlewares');
  return {
    middlewares: (req, res, next) => {
      vite.middlewares(req, res, () => {
        if (failed.has(req)) answerFailed(res);
        else next();
      });
    },
    takes: ({ url = '', headers }) =>
      (ownProtocols.has(headers['sec-websocket-protocol'] ?? '') && pathOf(url) === socketPath(vite)) ||
      Object.keys(vite.config?.server?.proxy ?? {}).some((path) => isBelow(path, url)),
    close: () => vite.close(),
  };
}

/**
 * A plugin that notes on which requests Vite has failed. In middleware mode it tells the terminal and the browser, and goes on as if it
 * knew nothing of what was asked for: a front controller would answer a module that is broken with a page, and 200.
 */
function noteOf(failed: WeakSet<object>): object {
  return {
    name: 'fastcgi-pool',
    // what it returns comes behind Vite's own middlewares, and before the one that is told of errors
    configureServer: ({ middlewares }: { readonly middlewares: Connect }) => {
      return () => {
        middlewares.use((error, req, _res, next) => {
          failed.add(req);
          next(error);
        });
      };
    },
  };
}

function answerFailed(res: NodeResponse): void {
  res.statusCode = 500;
  res.setHeader('Content-Type', 'text/plain; charset=utf-8');
  res.end('500 Internal Server Error: Vite has said what is wrong\n');
}

/** Its main file, as its package.json names it. */
function viteModule(root: string): string {
  try {
    const manifest = nodeModule.createRequire(join(root, 'package.json')).resolve('vite/package.json');
    const { exports }: { exports?: Record<string, unknown> } = JSON.parse(readFileSync(manifest, 'utf8'));
    const main = join(dirname(manifest), fileIn(exports?.['.']));
    if (existsSync(main)) return main;
    throw new Error(`${main} is missing`);
  } catch (error) {
    throw new UsageError(`--dev: there is no Vite for ${root} (npm install -D vite): ${reasonOf(error)}`);
  }
}

/** `"./a.js"`, or conditions that lead to such a name. */
function fileIn(target: unknown): string {
  if (typeof target === 'string') return target;
  if (typeof target !== 'object' || target === null) return './dist/node/index.js';
  if ('import' in target) return fileIn(target.import);
  return 'default' in target ? fileIn(target.default) : './dist/node/index.js';
}

/** Where Vite takes its own WebSockets: elsewhere it leaves them without an answer. */
function socketPath({ config }: Vite): string {
  const { base = '/', server } = config ?? {};
  // `ws` since Vite 8, `hmr` before
  for (const options of [server?.ws, server?.hmr]) {
    if (typeof options !== 'object' || options === null || !('path' in options)) continue;
    if (typeof options.path === 'string') return posix.join(base, options.path);
  }
  return base;
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? '';
}

/** As `server.proxy` names paths: by how they begin, or by a pattern. */
function isBelow(path: string, url: string): boolean {
  return path.startsWith('^') ? new RegExp(path).test(url) : url.startsWith(path);
}

function isVite(value: unknown): value is Vite {
  return typeof value === 'object' && value !== null && 'middlewares' in value && 'close' in value;
}

/** Chars that the path of a file may have. To judge a name takes the square of its length, and a URL may have 64 KB. */
const LONGEST_PATH = 4096;

/** Whether Vite may be asked for a URL at all. */
export function isForVite(url: string): boolean {
  let path: string;
  try {
    path = decodeURIComponent(url.split(/[?#]/, 1)[0] ?? '');
  } catch {
    return false;
  }
  // /@vite/client, /@id/x; but /@fs/ stands in front of any file
  const isOwn = /^\/@(?!fs\/)/.test(path) || path.includes('/node_modules/');
  return !path.includes('\0') && !path.includes('/..') && (isOwn || isFileName(path));
}

function isFileName(path: string): boolean {
  return path.length <= LONGEST_PATH && !isNeverSent(path);
}
