/** How many bytes of a response's body were sent, as nginx counts them: without the head, with the frame of its chunks. */
import type { ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import type { Socket } from 'node:net';
import type { NodeRequest, NodeResponse } from '../../../gateway/node.ts';

/** Bytes that the connection had sent before a response, and as the next one began. */
interface Span {
  begin: number;
  end: number | null;
}

export class BodyBytes {
  /** Of each connection of HTTP/1 its latest response. */
  readonly #latest = new WeakMap<Socket, Span>();

  /** Before anything of the response is sent. What it returns tells how many bytes, once the response is over. */
  of(request: NodeRequest, response: NodeResponse): () => number {
    return 'stream' in response ? streamBytes(response) : this.#ofConnection(request.socket, response);
  }

  #ofConnection(socket: Socket, response: ServerResponse): () => number {
    const span: Span = { begin: socket.bytesWritten, end: null };
    const before = this.#latest.get(socket);
    this.#latest.set(socket, span);
    if (response.socket === null) {
      // the one before it on the connection is not out yet
      response.once('socket', () => {
        span.begin = socket.bytesWritten;
        if (before) before.end = span.begin;
      });
    }
    return () => Math.max((span.end ?? socket.bytesWritten) - span.begin - headLength(response), 0);
  }
}

/** Node keeps the head it has sent, and nothing else tells its length. */
function headLength(response: ServerResponse): number {
  const head: unknown = '_header' in response ? response._header : null;
  return typeof head === 'string' ? head.length : 0;
}

/** What tells, in the end, how many bytes of the body were sent. */
function streamBytes({ stream }: Http2ServerResponse): () => number {
  // the connection of HTTP/2 counts for all its streams
  let bytes = 0;
  const write = stream.write.bind(stream);
  const end = stream.end.bind(stream);
  const count = (chunk: unknown, encoding: unknown): void => {
    if (typeof chunk === 'string')
      bytes += Buffer.byteLength(chunk, isEncoding(encoding) ? encoding : 'utf8');
    else if (chunk instanceof Uint8Array) bytes += chunk.length;
  };
  Object.assign(stream, {
    write(...args: Parameters<typeof write>): boolean {
      count(args[0], args[1]);
      return write(...args);
    },
    end(...args: Parameters<typeof end>): typeof stream {
      count(args[0], args[1]);
      end(...args);
      return stream;
    },
  });
  return () => bytes;
}

function isEncoding(encoding: unknown): encoding is BufferEncoding {
  return typeof encoding === 'string' && Buffer.isEncoding(encoding);
}
