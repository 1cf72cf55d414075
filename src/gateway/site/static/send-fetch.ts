/** Sends a file of the site as a `Response`. */
import type { FileRefusal } from '../../reply/handed-file.ts';
import { webFile } from '../../reply/web-file.ts';
import { fileAnswer } from './file-answer.ts';
import { FilePart } from './file-part.ts';
import { openFound, type SiteFile } from './site-files.ts';

/**
 * `unreadTimeout`: see webFile. `broken` is told why the file could not be sent to its end.
 *
 * @throws an error of the file system.
 */
export function fileResponse(
  file: SiteFile,
  request: Request,
  unreadTimeout: number,
  broken: (error: Error, statusCode: number) => void,
): Response | FileRefusal {
  const { statusCode, fields, range } = fileAnswer(file, (name) => request.headers.get(name) ?? undefined);
  const headers = new Headers();
  for (let i = 0; i + 1 < fields.length; i += 2) headers.append(fields[i] ?? '', fields[i + 1] ?? '');
  if (statusCode === 412 || statusCode === 416) return { statusCode, headers: Object.fromEntries(headers) };
  if (range === null || request.method === 'HEAD') return new Response(null, { status: statusCode, headers });
  const [first, last] = range;
  if (file.content) {
    const body = Uint8Array.from(file.content.subarray(first, last + 1));
    return new Response(body, { status: statusCode, headers });
  }
  const part = new FilePart(openFound(file), file.real, first, last);
  part.whenBroken((error) => broken(error, statusCode));
  return new Response(webFile(part, unreadTimeout), { status: statusCode, headers });
}
