/** Sends a file that PHP has handed over, with ranges and conditions, by node's response object. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { basename, dirname } from 'node:path';
import type { Refused } from './sink.ts';

/** The headers of the response are set; the head is not out. */
export async function sendFile(
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
  path: string,
  refused: Refused,
): Promise<void> {
  // most sites hand nothing over: the library is loaded with the first file
  const { default: send } = await import('send');
  const options = { root: dirname(path), dotfiles: 'allow', index: false, cacheControl: false } as const;
  const file = send(request, encodeURIComponent(basename(path)), options);
  file.on('error', (error: { status?: number; headers?: Record<string, string> }) => {
    refused(error.status ?? 500, error.headers ?? {});
  });
  file.pipe(response);
}
