/** A request's body as PHP-FPM wants it: read when asked, never destroyed by who reads, its length known beforehand. */
import type { Readable } from 'node:stream';

/**
 * The chunks of a server's request. Unlike the stream's own iterator it leaves the stream alone when its reader stops
 * early: destroying it would close the client's connection before the response is out.
 *
 * Listens at once and all the time: without a listener for 'readable', one for 'data' that somebody adds later would have
 * chunks that never come here.
 */
export function chunksOf(request: Readable): AsyncIterable<Buffer> {
  let wake = (): void => {};
  const change = (): void => wake();
  for (const event of changes) request.on(event, change);
  async function* chunks(): AsyncGenerator<Buffer, void, undefined> {
    try {
      for (;;) {
        const chunk: Buffer | null = request.read();
        if (chunk !== null) yield chunk;
        else if (request.readableEnded) return;
        else if (request.destroyed || request.errored) throw request.errored ?? clientLeft();
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      for (const event of changes) request.off(event, change);
    }
  }
  return chunks();
}

const changes = ['readable', 'end', 'error', 'close', 'aborted'] as const;

export function clientLeft(): Error {
  return new Error('The client left');
}

/** Reads to the end and drops what nobody has read, so that the connection is free for the next request. */
export function discard(request: Readable): void {
  if (request.readableEnded || request.destroyed) return;
  const read = (): void => {
    while (request.read() !== null);
  };
  request.on('readable', read);
  read();
}
