/** A file that PHP has handed over, as it goes to the client: PHP's headers, the file's bytes, ranges and conditions answered. */
import { closeSync, fstatSync, type Stats } from 'node:fs';
import { etagOf, fileAnswer, type HeaderOf, headersOf } from '../site/static/file-answer.ts';
import { fileError } from '../site/static/file-error.ts';
import { FilePart } from '../site/static/file-part.ts';
import type { MediaTypes } from '../site/static/media-types.ts';
import { openFound, startOfOpen } from '../site/static/site-files.ts';
import { type HandedOver, handoverError } from './handover.ts';
import { fileFields, fileHead, type ReplyHead } from './head.ts';

/** A file on its way: of the site, or handed over. */
export interface OutgoingFile {
  readonly head: ReplyHead;
  /** Null: there is none, or only its head was asked for. */
  readonly body: Buffer | FilePart | null;
}

export function whenBroken({ body }: OutgoingFile, tell: (error: Error) => void): void {
  if (body instanceof FilePart) body.whenBroken(tell);
}

/** What is to be answered in place of the file. */
export interface FileRefusal {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** For the log; undefined: it is the client's wish. */
  readonly reason?: unknown;
}

/** How often a file may be replaced while it is opened. */
const mostReplaced = 20;

/**
 * `head` is PHP's, `header` a header of the request. `findAgain`: whoever puts new files in place by a rename leaves no
 * moment in which there is none. `types`: loaded.
 */
export function handedFile(
  found: HandedOver & { kind: 'file' },
  head: ReplyHead,
  header: HeaderOf,
  types: MediaTypes,
  findAgain: () => HandedOver | null,
): OutgoingFile | FileRefusal {
  let file = found;
  for (let left = mostReplaced; ; left--) {
    try {
      return opened(file, head, header, types);
    } catch (error) {
      const { statusCode, reason } = fileError(error);
      const next = statusCode === 404 && left > 0 ? findAgain() : null;
      // it was there a moment ago
      if (next?.kind !== 'file')
        return { statusCode, reason: reason ?? handoverError(head.handover, 'missing') };
      file = next;
    }
  }
}

/** @throws an error of the file system, with nothing left open. */
function opened(
  { path, dev, ino }: HandedOver & { kind: 'file' },
  head: ReplyHead,
  header: HeaderOf,
  types: MediaTypes,
): OutgoingFile | FileRefusal {
  const descriptor = openFound({ real: Buffer.from(path).toString('latin1'), dev, ino });
  let isHeld = false;
  try {
    const type = (): string =>
      types.contentType(/\.[^./]*$/.exec(path)?.[0] ?? '', () => startOfOpen(descriptor));
    const facts = factsOf(fstatSync(descriptor), fileFields(head), type);
    const { statusCode, fields, range } = fileAnswer(facts, header);
    if (statusCode === 412 || statusCode === 416) return { statusCode, headers: headersOf(fields) };
    isHeld = range !== null && head.hasBody;
    const body = range && isHeld ? new FilePart(descriptor, path, ...range) : null;
    return { head: fileHead(statusCode, fields, body !== null), body };
  } finally {
    if (!isHeld) closeSync(descriptor);
  }
}

/** What PHP says of the file counts more than what it looks like. */
function factsOf(
  stats: Stats,
  given: readonly string[],
  type: () => string,
): Parameters<typeof fileAnswer>[0] {
  const { size, mtimeMs } = stats;
  const fields = [...given];
  const field = (name: string, usual: () => string): string => {
    for (let i = 0; i < fields.length; i += 2) {
      if (fields[i]?.toLowerCase() === name.toLowerCase()) return fields[i + 1] ?? '';
    }
    const value = usual();
    fields.push(name, value);
    return value;
  };
  const etag = field('ETag', () => etagOf(stats));
  const lastModified = field('Last-Modified', () => new Date(mtimeMs).toUTCString());
  field('Content-Type', type);
  fields.push('Accept-Ranges', 'bytes', 'Content-Length', String(size));
  return { size, etag, lastModified, fields };
}
