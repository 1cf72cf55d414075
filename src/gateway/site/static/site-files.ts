/**
 * Files of the site, ready to be sent: their headers, and what is in the small ones.
 * This folder: files sent as they are. It imports the judge's findings, and reply/ for the way out.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import type { Files, FoundFile } from '../files.ts';
import { isUntouched } from '../root-folder.ts';
import { TtlCache } from '../ttl-cache.ts';
import { etagOf, type FileFacts } from './file-answer.ts';
import type { FilesSettings } from './files-options.ts';
import type { MediaTypes } from './media-types.ts';

export interface SiteFile extends FileFacts {
  /** All of it; null: too large to be kept. */
  readonly content: Buffer | null;
  /** Bytes. */
  readonly real: string;
  readonly dev: number;
  readonly ino: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
}

/** Bytes: up to this one read costs less than a stream. */
const largestKept = 65_536;
/**
 * ms: a change within a tick of the file system's clock gives a file no other time, and perhaps no other size. FAT's is 2 s,
 * that of others 1 s (ext4 on small disks, NFS, HFS+).
 */
const coarsest = 2000;
/** Entries. */
const most = 4096;

const none: readonly string[] = [];

/** In the order in which they are wanted. */
const codings = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;

export class SiteFiles {
  readonly #files: Files;
  readonly #settings: FilesSettings;
  readonly #types: MediaTypes;
  #known = new Map<string, SiteFile>();
  #bytes = 0;
  /** Files that have no packed copy beside them: most, and two looks each. */
  readonly #alone = new TtlCache<true>(1000, 4096);

  /** `types`: loaded before a file is taken. */
  constructor(files: Files, settings: FilesSettings, types: MediaTypes) {
    this.#files = files;
    this.#settings = settings;
    this.#types = types;
  }

  /**
   * What is to be sent for a file that was just found. `acceptEncoding`: the request's header.
   *
   * @throws an error of the file system, where it may not be read or has gone.
   */
  take(found: FoundFile, acceptEncoding: string | undefined): SiteFile {
    if (!this.#settings.precompressed || this.#alone.get(found.name)) return this.#load(found, none);
    const candidates = this.#types.isCompressible(found.name) ? codings : [];
    const packed = candidates.flatMap(([coding, ending]) => {
      const sibling = this.#files.sibling(found, ending);
      return sibling ? [{ coding, sibling }] : [];
    });
    if (packed.length === 0) {
      this.#alone.set(found.name, true);
      return this.#load(found, none);
    }
    const vary = ['Vary', 'Accept-Encoding'];
    const best = packed.find(({ coding }) => accepts(acceptEncoding, coding));
    if (!best) return this.#load(found, vary);
    const more = [...vary, 'Content-Encoding', best.coding];
    try {
      return this.#load({ ...best.sibling, name: found.name }, more, found);
    } catch (error) {
      // a build may have left it to another user: the file itself is there all the same
      if (error instanceof ReplacedError) throw error;
      return this.#load(found, vary);
    }
  }

  /** `plain`: what `found` is a packed copy of. */
  #load(found: FoundFile, more: readonly string[], plain?: FoundFile): SiteFile {
    const key = more.length === 0 ? found.name : `${found.name}\0${more.join()}`;
    const known = this.#known.get(key);
    if (known && isSame(known, found)) return known;
    if (known) this.#forget(key, known);
    const file = this.#read(found, more, plain);
    const bytes = file.content?.length ?? 0;
    if (this.#known.size >= most || this.#bytes + bytes > this.#settings.memory) {
      this.#known = new Map();
      this.#bytes = 0;
    }
    const isSettled = Date.now() - file.ctimeMs > coarsest;
    if (isSettled && bytes <= this.#settings.memory) {
      this.#known.set(key, file);
      this.#bytes += bytes;
    }
    return file;
  }

  #forget(key: string, file: SiteFile): void {
    this.#known.delete(key);
    this.#bytes -= file.content?.length ?? 0;
  }

  #read(found: FoundFile, more: readonly string[], plain: FoundFile | undefined): SiteFile {
    const { real, name } = found;
    // a large one as well: it is opened for its bytes once its head is made, which is too late to send another in its place
    const { stats, content, type } = whileOpen(found, (descriptor) => {
      const isSmall = found.stats.size <= largestKept;
      const read = isSmall ? contentOf(descriptor) : { stats: found.stats, content: null };
      const start = (): Uint8Array =>
        plain ? unpackedStart(plain) : (read.content ?? startOfOpen(descriptor));
      return { ...read, type: this.#types.contentType(endingOf(name, real), start) };
    });
    const { dev, ino, size, mtimeMs, ctimeMs } = stats;
    const etag = etagOf(stats);
    const lastModified = new Date(mtimeMs).toUTCString();
    const cacheControl = this.#settings.cacheControl(name);
    return {
      size,
      etag,
      lastModified,
      fields: [
        ...['Accept-Ranges', 'bytes', 'Last-Modified', lastModified, 'ETag', etag],
        ...['Content-Type', type, 'Content-Length', String(size)],
        ...(cacheControl === null ? [] : ['Cache-Control', cacheControl]),
        ...more,
      ],
      content,
      ...{ real, dev, ino, mtimeMs, ctimeMs },
    };
  }
}

/** A link `logo.svg` to `3f2a` is an SVG: the name that was asked for counts, if it has an ending. */
function endingOf(name: string, real: string): string {
  return /[^/](\.[^./]*)$/.exec(name)?.[1] ?? /[^/](\.[^./]*)$/.exec(real)?.[1] ?? '';
}

function accepts(header: string | undefined, coding: string): boolean {
  if (header === undefined) return false;
  for (const part of header.split(',')) {
    const [name = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase());
    if (name === coding) return !parameters.some((word) => /^q=0(?:\.0*)?$/.test(word));
  }
  return false;
}

function isSame(known: SiteFile, { real, stats }: FoundFile): boolean {
  return (
    known.real === real &&
    known.ino === stats.ino &&
    known.dev === stats.dev &&
    known.size === stats.size &&
    known.mtimeMs === stats.mtimeMs &&
    known.ctimeMs === stats.ctimeMs
  );
}

/** Another file has its name now. */
export class ReplacedError extends Error {
  readonly code = 'ENOENT';

  constructor() {
    super('The file was replaced meanwhile');
  }
}

/**
 * Opens the very file that was found: one that was put in its place since may be a link to anywhere.
 *
 * @throws an error of the file system.
 */
export function openFound(file: Pick<SiteFile, 'real' | 'dev' | 'ino'>): number {
  const descriptor = openSync(Buffer.from(file.real, 'latin1'), constants.O_RDONLY | constants.O_NONBLOCK);
  const { dev, ino } = fstatSync(descriptor);
  if (dev === file.dev && ino === file.ino) return descriptor;
  closeSync(descriptor);
  throw new ReplacedError();
}

/** What `use` makes of the very file that was found. */
function whileOpen<T>({ real, stats }: FoundFile, use: (descriptor: number) => T): T {
  const descriptor = openFound({ real, dev: stats.dev, ino: stats.ino });
  try {
    return use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Empty where it may not be read: its packed copy is there all the same. */
function unpackedStart(plain: FoundFile): Uint8Array {
  try {
    return whileOpen(plain, startOfOpen);
  } catch {
    return Buffer.alloc(0);
  }
}

/** The bytes that a file begins with. */
export function startOfOpen(descriptor: number): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(largestKept);
  return bytes.subarray(0, readSync(descriptor, bytes, 0, largestKept, 0));
}

/**
 * What is in it, and what is true of just that: it may have been written to since it was found, and its ETag must not
 * speak of what was there before. Without content where it is being written to now, or has grown too large.
 *
 * @throws an error of the file system.
 */
function contentOf(descriptor: number): { stats: Stats; content: Buffer | null } {
  const before = fstatSync(descriptor);
  const content = before.size <= largestKept ? bytesOf(descriptor, before.size) : null;
  const after = fstatSync(descriptor);
  return { stats: after, content: isUntouched(before, after) ? content : null };
}

/** Null where there are not so many. */
function bytesOf(descriptor: number, size: number): Buffer | null {
  const bytes = Buffer.allocUnsafeSlow(size);
  for (let at = 0; at < size; ) {
    const read = readSync(descriptor, bytes, at, size - at, at);
    if (read === 0) return null;
    at += read;
  }
  return bytes;
}
