/** nginx's configuration with the files that it includes in their places. */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expanded, MOST_FILES } from './glob.ts';
import { type Directive, parseNginx } from './nginx-conf.ts';

/** Throws where `file` cannot be read, or one of them does not parse; of those that are missing it says nothing but their names. */
export async function readNginxConf(
  file: string,
): Promise<{ readonly tree: readonly Directive[]; readonly missing: readonly string[] }> {
  const missing: string[] = [];
  const folder = prefixOf(file);
  let files = 0;
  const read = async (path: string): Promise<Directive[]> => {
    if (++files > MOST_FILES) throw new Error(`${path}: more than ${MOST_FILES} files are included`);
    const text = await readFile(path, 'utf8');
    try {
      return await whole(parseNginx(text));
    } catch (error) {
      throw path === file || !(error instanceof Error) ? error : new Error(`${path}: ${error.message}`);
    }
  };
  const included = async (pattern: string): Promise<Directive[]> => {
    const trees: Directive[] = [];
    for (const path of await expanded(folder, pattern)) {
      trees.push(
        ...(await read(path).catch((error: unknown) => {
          if (!(error instanceof Error && 'code' in error)) throw error;
          missing.push(path);
          return [];
        })),
      );
    }
    return trees;
  };
  const whole = async (tree: readonly Directive[]): Promise<Directive[]> => {
    const found: Directive[] = [];
    for (const one of tree) {
      if (one.name === 'include') found.push(...(await included(one.args[0] ?? '')));
      else found.push({ ...one, inside: await whole(one.inside) });
    }
    return found;
  };
  return { tree: await read(file), missing };
}

/** From where nginx takes relative names: the folder of nginx.conf, whichever file they are in. `file` may be that of one site. */
function prefixOf(file: string): string {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'nginx.conf'))) return folder;
    if (folder === dirname(folder)) return dirname(file);
  }
}
