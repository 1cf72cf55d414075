/** A request's body as PHP-FPM wants it: read when asked, never destroyed by who reads, its length known beforehand. */
import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers';
import { bodyRead } from './touched-body.ts';

/**
 * The chunks of a server's request. Unlike the stream's own iterator it leaves the stream alone when its reader stops
 * early: destroying it would close the client's connection before the response is out.
 *
 * Listens at once and all the time: without a listener for 'readable', one for 'data' that somebody adds later would have
 * chunks that never come here. What somebody else reads comes here by 'data'.
 */
export function chunksOf(request: Readable): AsyncIterable<Buffer> {
  const held: (Buffer | string)[] = [];
  let wake = (): void => {};
  let isOurs = false;
  let othersRead = false;
  const change = (): void => wake();
  const hold = (chunk: Buffer | string): void => {
    held.push(chunk);
    othersRead ||= !isOurs;
    wake();
  };
  for (const event of changes) request.on(event, change);
  // behind the listener for 'readable': else it would make the request flow
  request.on('data', hold);
  const isOursToRead = (): boolean => {
    return held.length === 0 && !(othersRead && request.listenerCount('readable') > 1);
  };
  async function* chunks(): AsyncGenerator<Buffer, void, undefined> {
    try {
      for (;;) {
        // who listens for 'readable' as well reads now or never: most only want to know
        if (request.readableLength > 0 && request.listenerCount('readable') > 1)
          await new Promise((resolve) => setImmediate(resolve));
        if (isOursToRead()) {
          isOurs = true;
          const own: Buffer | string | null = request.read();
          isOurs = false;
          // somebody has removed all listeners for 'data'
          if (own !== null && !held.includes(own)) held.push(own);
        }
        const chunk = held.shift();
        if (typeof chunk === 'string') throw bodyRead('decoded');
        if (chunk) yield chunk;
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
      request.off('data', hold);
    }
  }
  return chunks();
}

const changes = ['readable', 'end', 'error', 'close', 'aborted'] as const;

/** Bytes that wait for a slow reader before the client is held back. */
const mostHeld = 1024 * 1024;

/** The chunks of a request that others listen to as well. Listens from now on, as what comes next is gone for who comes later. */
export function sharedChunksOf(request: Readable): AsyncIterable<Uint8Array> {
  const held: (Uint8Array | string)[] = [];
  let bytes = 0;
  let wake: () => void = () => {};
  const hold = (chunk: Uint8Array | string): void => {
    held.push(chunk);
    bytes += chunk.length;
    if (bytes > mostHeld) request.pause();
    wake();
  };
  request.on('data', hold);
  let isCut = false;
  // somebody has removed all listeners, and the rest went to nobody; first, as at the end that does no harm
  request.prependListener('end', () => {
    isCut = !request.listeners('data').includes(hold);
  });
  for (const event of ['end', 'error', 'close', 'aborted']) request.on(event, () => wake());
  async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const chunk = held.shift();
      if (typeof chunk === 'string') throw bodyRead('decoded');
      if (chunk) {
        bytes -= chunk.length;
        yield chunk;
      } else if (request.readableEnded) {
        if (isCut) throw bodyRead('read');
        return;
      } else if (request.destroyed || request.errored) throw request.errored ?? clientLeft();
      else {
        if (request.isPaused()) request.resume();
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  }
  return chunks();
}

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
