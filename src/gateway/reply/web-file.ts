/** A file as the body of a `Response`. */
import { Readable } from 'node:stream';

/**
 * `unreadTimeout`: ms, 0: none. A body that has no reader by then never gets one, as somebody has answered in its place:
 * the file is closed, which else would stay open for as long as the process lives.
 */
export function webFile(file: Readable, unreadTimeout: number): ReadableStream<Uint8Array> {
  const stream = Readable.toWeb(file) as ReadableStream<Uint8Array>;
  if (unreadTimeout > 0) {
    const message = `Nobody has begun to read the body of the response for ${unreadTimeout} ms`;
    const timer = setTimeout(() => {
      if (!stream.locked) file.destroy(new Error(message));
    }, unreadTimeout).unref();
    file.once('close', () => clearTimeout(timer));
  }
  return stream;
}
