/** The option `files`: which files are sent as they are, and how long a client may keep them. */
import { flag, size, strings, wrong } from '../../checks.ts';
import { isHidden, isNeverSent } from '../never-sent.ts';

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
   * copy. Names that begin with a dot are not. Default none.
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
export function filesSettings(given: unknown): FilesSettings | null {
  if (given === undefined || given === false) return null;
  const options: FilesOptions | null = given === true ? {} : isObject(given) ? given : null;
  if (options === null) throw wrong('files', 'must be true, false or an object of options');
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(known, name)) throw wrong(`files.${name}`, 'is not an option of files');
  }
  const { cacheControl = null, immutable } = options;
  if (cacheControl !== null && (typeof cacheControl !== 'string' || !/^[\x20-\x7e]+$/.test(cacheControl))) {
    throw wrong('files.cacheControl', 'must be the value of a header, such as "public, max-age=3600"');
  }
  if (immutable !== undefined && !(immutable instanceof RegExp)) {
    throw wrong('files.immutable', 'must be a regular expression');
  }
  // one with the flags g or y remembers where it has ended
  const hashed = immutable && new RegExp(immutable.source, immutable.flags.replace(/[gy]/g, ''));
  const allow = strings('files.allow', options.allow ?? []);
  return {
    cacheControl: (path) => (hashed?.test(path) ? 'public, max-age=31536000, immutable' : cacheControl),
    precompressed: flag('files.precompressed', options.precompressed ?? true),
    isNeverSent:
      allow.length === 0
        ? isNeverSent
        : (path) => isHidden(path) || (isNeverSent(path) && !allow.some((ending) => path.endsWith(ending))),
    memory: size('files.memory', options.memory ?? 32 * 1024 * 1024),
  };
}

function isObject(value: unknown): value is FilesOptions {
  return typeof value === 'object' && value !== null;
}
