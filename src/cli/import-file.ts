/** Loads a module that whoever started the command names: the one import whose target is not known beforehand. */
import { pathToFileURL } from 'node:url';

/** `path` is absolute. */
export async function importFile(path: string): Promise<Readonly<Record<string, unknown>>> {
  return (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
}
