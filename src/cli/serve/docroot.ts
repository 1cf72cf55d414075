/** What lies at a URL's path below the document root, symbolic links resolved. */
import { realpath, stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { UsageError } from '../usage-error.ts';

/** Nothing at all; something that may not be sent or read; or a folder or file, by its real path. */
type Found =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'folder' | 'file'; readonly realPath: string; readonly realRoot: string };

export interface Docroot {
  readonly root: string;
  /** `path` begins with '/' and leads nowhere up; see cgi/target.ts. */
  look(path: string): Promise<Found>;
}

const nothing: Found = { kind: 'nothing' };
const forbidden: Found = { kind: 'forbidden' };

/**
 * Throws a UsageError where a folder is none. `linked`: where links out of the root may lead. `onOutside` hears, once
 * for each link, of one that leads elsewhere: its path below the root, and what it leads to.
 */
export async function openDocroot(
  cwd: string,
  docroot: string,
  linked: readonly string[],
  onOutside: (link: string, target: string) => void = () => {},
): Promise<Docroot> {
  const root = resolve(cwd, docroot);
  await needFolder('DOCROOT', docroot, root);
  const others: string[] = [];
  const told = new Set<string>();
  for (const folder of linked) {
    await needFolder('--allow-symlinks-to', folder, resolve(cwd, folder));
    others.push(await realpath(resolve(cwd, folder)));
  }

  return {
    root,
    async look(path) {
      const name = utf8(path);
      if (name === null) return nothing;
      try {
        // Each time anew: the root itself is often a link that a deployment moves.
        const realRoot = await realpath(root);
        const realPath = await realpath(join(realRoot, name));
        const within = [realRoot, ...others].find((folder) => isInside(folder, realPath));
        if (within === undefined) {
          const link = await linkOut(realRoot, name, others);
          if (link && !told.has(link.path)) {
            told.add(link.path);
            onOutside(link.path, link.target);
          }
          return nothing;
        }
        const info = await stat(realPath);
        if (info.isDirectory()) return { kind: 'folder', realPath, realRoot: within };
        // A FIFO or a device would hold the request for ever.
        return info.isFile() ? { kind: 'file', realPath, realRoot: within } : nothing;
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? error.code : undefined;
        return code === 'EACCES' || code === 'EPERM' ? forbidden : nothing;
      }
    },
  };
}

/** The first part of `name` that is outside, as only a link can lead there. */
async function linkOut(
  realRoot: string,
  name: string,
  others: readonly string[],
): Promise<{ path: string; target: string } | null> {
  let path = '';
  for (const part of name.split('/').filter((segment) => segment !== '')) {
    path += `/${part}`;
    const target = await realpath(realRoot + path);
    if (![realRoot, ...others].some((folder) => isInside(folder, target))) return { path, target };
  }
  return null;
}

async function needFolder(option: string, given: string, path: string): Promise<void> {
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => error.code ?? 'an error');
  if (info === 'ENOENT') throw new UsageError(`${option} '${given}' does not exist`);
  if (typeof info === 'string') throw new UsageError(`${option} '${given}' cannot be opened: ${info}`);
  if (!info.isDirectory()) throw new UsageError(`${option} '${given}' is not a folder`);
}

function isInside(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** File names go to Node as text: one that is not UTF-8 cannot be asked for. */
function utf8(path: string): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(path, 'latin1'));
  } catch {
    return null;
  }
}
