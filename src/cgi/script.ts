/**
 * Which part of a URL's path names the script, and which is its PATH_INFO. Bytes are compared, never letters: what
 * folds case or normalises Unicode on the way can be made to run an uploaded file (CVE-2026-27590).
 */

export interface Script {
  /** From the root on, with its `/`: `/admin/index.php`. */
  readonly scriptName: string;
  /** '' or from its `/` on. */
  readonly pathInfo: string;
}

/** Where nothing else is configured. */
export const defaultSplitPath: readonly string[] = ['.php'];

/**
 * The first segment of `path` (a Target's) that ends with one of `splitPath` is the script. With `after`, the first
 * one beyond that: the next to try where `/x.php` turned out to be a folder. Null where there is none, or where it
 * is hidden: a segment before it, or itself, begins with a dot (`/.git/x.php`), `.well-known` aside.
 */
export function splitScript(path: string, splitPath: readonly string[], after?: Script): Script | null {
  for (let start = after ? after.scriptName.length : 0; start !== -1 && start + 1 < path.length; ) {
    const slash = path.indexOf('/', start + 1);
    const end = slash === -1 ? path.length : slash;
    if (path.startsWith('/.', start) && path.slice(start, end) !== '/.well-known') return null;
    for (const suffix of splitPath) {
      if (path.endsWith(suffix, end) && end - suffix.length > start) {
        return { scriptName: path.slice(0, end), pathInfo: path.slice(end) };
      }
    }
    start = slash;
  }
  return null;
}

/**
 * Which script answers for `path` where nobody can look at the files: the script it names, else the front
 * controller, else the index of a folder (a path that ends with a slash), else none (null).
 */
export function namedScript(
  path: string,
  site: {
    readonly index: string;
    readonly frontController: string | undefined;
    readonly splitPath: readonly string[];
  },
): Script | null {
  const script = splitScript(path, site.splitPath);
  if (script) return script;
  if (site.frontController !== undefined) return { scriptName: site.frontController, pathInfo: '' };
  return path.endsWith('/') ? splitScript(path + site.index, site.splitPath) : null;
}
