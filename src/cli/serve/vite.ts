/**
 * `--dev`: the application's own Vite in middleware mode, on our port. What it could read is more than DOCROOT: so names that
 * are never sent are not asked of it, but for its own modules and those of packages.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Server } from 'node:net';
import { dirname, join } from 'node:path';
import type { NodeRequest, NodeResponse } from '../../gateway/node.ts';
import { isNeverSent } from '../../gateway/site/never-sent.ts';
import { importFile } from '../import-file.ts';
import { reasonOf } from '../text.ts';
import { UsageError } from '../usage-error.ts';

type Middleware = (req: NodeRequest, res: NodeResponse, next: () => void) => void;

export interface ViteServer {
  readonly middlewares: Middleware;
  close(): Promise<void>;
}

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
  const vite: unknown = await createServer({
    root,
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
  return vite;
}

/** Its main file, as its package.json names it. */
function viteModule(root: string): string {
  try {
    const manifest = createRequire(join(root, 'package.json')).resolve('vite/package.json');
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

function isVite(value: unknown): value is ViteServer {
  return typeof value === 'object' && value !== null && 'middlewares' in value && 'close' in value;
}

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
  return !path.includes('\0') && !path.includes('/..') && (isOwn || !isNeverSent(path));
}
