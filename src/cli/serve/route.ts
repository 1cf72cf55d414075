/**
 * What answers a request: as nginx with `try_files $uri $uri/ /index.php` where there is a front controller, else
 * `try_files $uri $uri/ =404`, and `*.php` and its PATH_INFO to PHP-FPM before both.
 */
import { defaultSplitPath, splitScript } from '../../cgi/script.ts';
import { parseTarget } from '../../cgi/target.ts';
import type { Docroot } from './docroot.ts';
import { isHidden, isPhpSource } from './policy.ts';

export type Route =
  | { readonly to: 'php' }
  /** The real path of a file, and the name under which it was asked for. */
  | { readonly to: 'file'; readonly path: string; readonly name: string }
  | { readonly to: 'redirect'; readonly location: string }
  | { readonly to: 'status'; readonly status: 400 | 403 | 404 };

export interface Site {
  readonly docroot: Docroot;
  readonly index: string;
  readonly hasFrontController: boolean;
}

const php: Route = { to: 'php' };
const notFound: Route = { to: 'status', status: 404 };
const forbidden: Route = { to: 'status', status: 403 };

/** `url` as node:http gives it. */
export async function routeOf(url: string, site: Site): Promise<Route> {
  const target = parseTarget(url);
  if ('refused' in target) return { to: 'status', status: 400 };
  const { path, query } = target;
  const script = splitScript(path, defaultSplitPath);
  // PATH_INFO begins anew: Nextcloud answers /index.php/.well-known/webfinger
  if (script ? isHidden(script.scriptName) || isHidden(script.pathInfo) : isHidden(path)) return notFound;
  if (script) return php;

  const otherwise = site.hasFrontController ? php : notFound;
  const found = await site.docroot.look(path);
  if (found.kind === 'forbidden') return forbidden;
  if (found.kind === 'nothing') return otherwise;
  if (found.kind === 'folder') return path.endsWith('/') ? indexOf(path, site) : redirect(path, query);
  // A link's own name may be harmless where its target's is not.
  const inner = found.realPath.slice(found.realRoot.length);
  if (path.endsWith('/') || isPhpSource(path) || isPhpSource(inner) || isHidden(inner)) return otherwise;
  return { to: 'file', path: found.realPath, name: path };
}

/** PHP's gateway says nothing of links: where it found no script, the docroot looks and tells of one that leads out. */
export async function lookForScript(url: string, { docroot }: Site): Promise<void> {
  const target = parseTarget(url);
  const script = 'refused' in target ? null : splitScript(target.path, defaultSplitPath);
  if (script) await docroot.look(script.scriptName);
}

async function indexOf(folder: string, site: Site): Promise<Route> {
  for (const name of new Set([site.index, 'index.html'])) {
    const route = await indexFile(folder + name, site);
    if (route) return route;
  }
  // nginx's answer too: a folder that exists never gets to the front controller. But a site without a home page is
  // of no use to anybody.
  return folder === '/' && site.hasFrontController ? php : forbidden;
}

async function indexFile(path: string, site: Site): Promise<Route | null> {
  const found = await site.docroot.look(path);
  if (found.kind !== 'file') return null;
  if (path.endsWith('.php')) return php;
  const inner = found.realPath.slice(found.realRoot.length);
  if (isPhpSource(path) || isPhpSource(inner) || isHidden(inner)) return null;
  return { to: 'file', path: found.realPath, name: path };
}

/** `path` begins with one slash and one only: a second would make it the name of another host. */
function redirect(path: string, query: string): Route {
  const escaped = path.replace(/[^A-Za-z0-9!$&'()*+,./:=@_~-]/g, (byte) => {
    return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
  return { to: 'redirect', location: `${escaped}/${query === '' ? '' : `?${query}`}` };
}
