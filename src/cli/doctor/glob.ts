/** Names of files with `*`, `?` and `[...]` in them, as the `include` of php-fpm and of nginx has them. */
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** Files that include each other would never end. */
export const MOST_FILES = 200;

/** In order; a pattern that nothing matches gives none, a name without any stays as it is. `folder`: of relative ones. */
export async function expanded(folder: string, pattern: string): Promise<string[]> {
  const whole = resolve(folder, pattern);
  if (!/[*?[]/.test(whole)) return [whole];
  let found = ['/'];
  for (const part of whole.split('/').filter((one) => one !== '')) {
    const next = found.map((at) => (/[*?[]/.test(part) ? matching(at, part) : [join(at, part)]));
    found = (await Promise.all(next)).flat();
  }
  return found;
}

async function matching(folder: string, part: string): Promise<string[]> {
  const source = part.replace(/\[!?[^\]]+\]|[\\^$.+(){}|[\]*?]/g, (one) => {
    if (one === '*') return '.*';
    if (one === '?') return '.';
    return one.length > 1 ? one.replace(/^\[!/, '[^').replaceAll('\\', '\\\\') : `\\${one}`;
  });
  const wanted = new RegExp(`^${source}$`, 's');
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => (!name.startsWith('.') || part.startsWith('.')) && wanted.test(name))
    .sort()
    .map((name) => join(folder, name));
}
