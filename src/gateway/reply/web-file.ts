/** A file as the body of a `Response`. */
import { Readable } from 'node:stream';

/**
 * `timeout`: ms in which something must be read, 0: none. Else a file would stay open for as long as the process lives, where somebody
 * has answered in its place, or where the server does not hear that its client has left.
 */
export function webFile(file: Readable, timeout: number): ReadableStream<Uint8Array> {
  const stream = Readable.toWeb(file) as ReadableStream<Uint8Array>;
  if (timeout > 0) {
    let isRead = false;
    // it flows when the stream wants it to, as before
    file.on('data', () => {
      isRead = true;
    });
    const look = (): void => {
      if (!stream.locked) file.destroy(new Error(nobodyReads(timeout)));
      else if (!isRead) file.destroy(new Error(nothingRead(timeout)));
      isRead = false;
    };
    const timer = setInterval(look, timeout).unref();
    file.once('close', () => clearInterval(timer));
  }
  return stream;
}

export function nobodyReads(timeout: number): string {
  return `Nobody has begun to read the body of the response for ${timeout} ms`;
}

export function nothingRead(timeout: number): string {
  return `Nothing of the body of the response was read for ${timeout} ms`;
}
