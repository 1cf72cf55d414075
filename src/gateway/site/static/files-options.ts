/** The option `files`: which files are sent as they are, and how long a client may keep them. */
import { checkNames, isOptions } from '../../../arguments.ts';
import { flag, size, strings, wrong } from '../../checks.ts';
import { isNeverSent, mayBeHidden } from '../never-sent.ts';

export interface FilesOptions {
  /** The value of Cache-Control, such as 'public, max-age=3600'. Default none, as with nginx and Apache. */
  readonly cacheControl?: string | undefined;
  /**
   * Paths whose content never changes, as a hash of it is in the name: their Cache-Control is
   * 'public, max-age=31536000, immutable'. `/\.[0-9a-f]{8,}\./`, say. Default none.
   */
  readonly immutable?: RegExp | undefined;
  /**
   * `app.js.br` or `app.js.gz` beside `app.js` is sent to clients that take it, if it is not older. Default true.
   */
  readonly precompressed?: boolean | undefined;
  /**
   * Endings of names ('.yaml', '/composer.json') that are sent although they look like source, configuration or a
   * copy. Names that begin with a dot are not, nor what a file system may have in place of one (`GIT~1`). Default none.
   */
  readonly allow?: readonly string[] | undefined;
  /** Bytes of small files (up to 64 KiB each) that are kept in memory. Default 33554432 (32 MiB); 0: none. */
  readonly memory?: number | undefined;
}

/** The options, checked and complete. */
export interface FilesSettings {
  readonly cacheControl: (path: string) => string | null;
  readonly precompressed: boolean;
  readonly isNeverSent: (path: string) => boolean;
  readonly memory: number;
}

const known: Record<keyof FilesOptions, true> = {
  cacheControl: true,
  immutable: true,
  precompressed: true,
  allow: true,
  memory: true,
};

/** Null: files are not sent. */
export function filesSettings(files: unknown): FilesSettings | null {
  if (files === undefined || files === false) return null;
  const options: FilesOptions | null = files === true ? {} : isOptions(files) ? files : null;
  if (options === null) throw wrong('files', 'must be true, false or an object of options');
  checkNames(options, known, 'files', 'files.');
  const { cacheControl, immutable, precompressed = true, memory = 32 * 1024 * 1024 } = options;
  if (
    cacheControl !== undefined &&
    (typeof cacheControl !== 'string' || !/^[\x20-\x7e]+$/.test(cacheControl))
  ) {
    throw wrong('files.cacheControl', 'must be the value of a header, such as "public, max-age=3600"');
  }
  if (immutable !== undefined && !(immutable instanceof RegExp)) {
    throw wrong('files.immutable', 'must be a regular expression');
  }
  // one with the flags g or y remembers where it has ended
  const hashed = immutable && new RegExp(immutable.source, immutable.flags.replace(/[gy]/g, ''));
  const { allow: given = [] } = options;
  const allow = strings('files.allow', given);
  if (allow.some((ending) => /[*?]/.test(ending))) {
    throw wrong('files.allow', 'must be endings of names, such as .yaml: a pattern would match nothing');
  }
  return {
    cacheControl: (path) =>
      hashed?.test(path) ? 'public, max-age=31536000, immutable' : (cacheControl ?? null),
    precompressed: flag('files.precompressed', precompressed),
    isNeverSent:
      allow.length === 0
        ? isNeverSent
        : (path) =>
            isNeverSent(path) && (mayBeHidden(path) || !allow.some((ending) => path.endsWith(ending))),
    memory: size('files.memory', memory),
  };
}
