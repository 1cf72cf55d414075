/** Sends a file of the site as a `Response`. */
import { createReadStream } from 'node:fs';
import { fileAnswer } from './file-answer.ts';
import type { Refusal } from './send-node.ts';
import { openFound, type SiteFile } from './site-files.ts';

/** @throws an error of the file system. */
export function fileResponse(file: SiteFile, request: Request): Response | NonNullable<Refusal> {
  const { statusCode, fields, range } = fileAnswer(file, (name) => request.headers.get(name) ?? undefined);
  const headers = new Headers();
  for (let i = 0; i + 1 < fields.length; i += 2) headers.append(fields[i] ?? '', fields[i + 1] ?? '');
  if (statusCode === 412 || statusCode === 416) return { statusCode, headers: Object.fromEntries(headers) };
  if (range === null || request.method === 'HEAD') return new Response(null, { status: statusCode, headers });
  const [first, last] = range;
  const body = file.content
    ? Uint8Array.from(file.content.subarray(first, last + 1))
    : ReadableStream.from(piecesOf(openFound(file), first, last));
  return new Response(body, { status: statusCode, headers });
}

/** Ends with an error where the file has become shorter: the client was promised a length. */
async function* piecesOf(descriptor: number, first: number, last: number): AsyncGenerator<Uint8Array> {
  const file = createReadStream('', { fd: descriptor, start: first, end: last });
  for await (const chunk of file) yield chunk;
  if (file.bytesRead !== last - first + 1) throw new Error('The file became shorter while it was sent');
}
