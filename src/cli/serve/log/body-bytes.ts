/** How many bytes of a response's body were sent, as nginx counts them: without the head, with the frame of its chunks. */
import type { ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import type { Socket } from 'node:net';
import type { NodeRequest, NodeResponse } from '../../../gateway/node.ts';

/** Counts for one response. */
interface Counter {
  /** Once it is over. */
  bytes(): number;
}

/** A connection of HTTP/1. */
interface Connection {
  readonly socket: Socket;
  /** Bytes that it had sent when its latest response was over. */
  sent: number;
  /** Null once it is over: an idle connection is not to keep a response. */
  latest: ResponseBytes | null;
}

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

export class BodyBytes {
  readonly #connections = new WeakMap<Socket, Connection>();

  /** Before anything of the response is sent. */
  of(request: NodeRequest, response: NodeResponse): Counter {
    if ('stream' in response) return new StreamBytes(response);
    const { socket } = request;
    let connection = this.#connections.get(socket);
    if (connection === undefined) {
      connection = { socket, sent: socket.bytesWritten, latest: null };
      this.#connections.set(socket, connection);
    }
    return new ResponseBytes(connection, response);
  }
}

class ResponseBytes implements Counter {
  readonly #connection: Connection;
  readonly #response: ServerResponse;
  /** Bytes that the connection had sent before it, and as the next one began. */
  #begin: number;
  #end = -1;

  constructor(connection: Connection, response: ServerResponse) {
    const before = connection.latest;
    this.#connection = connection;
    this.#response = response;
    this.#begin = connection.sent;
    connection.latest = this;
    if (response.socket !== null) return;
    // The one before it on the connection is not out yet.
    response.once('socket', () => {
      this.#begin = connection.socket.bytesWritten;
      if (before) before.#end = this.#begin;
    });
  }

  bytes(): number {
    const connection = this.#connection;
    if (connection.latest === this) connection.latest = null;
    // To ask a socket walks through what it has not written yet.
    if (this.#end < 0) connection.sent = connection.socket.bytesWritten;
    const end = this.#end < 0 ? connection.sent : this.#end;
    return Math.max(end - this.#begin - headLength(this.#response), 0);
  }
}

/** Node keeps the head it has sent, and that it has sent 100 Continue, and nothing else tells. */
interface Sent {
  readonly _header?: unknown;
  readonly _sent100?: unknown;
}

function headLength(response: ServerResponse & Sent): number {
  const { _header: head, _sent100: continued } = response;
  return (typeof head === 'string' ? head.length : 0) + (continued === true ? CONTINUE.length : 0);
}

/** The connection of HTTP/2 counts for all its streams. */
class StreamBytes implements Counter {
  #bytes = 0;

  constructor({ stream }: Http2ServerResponse) {
    const write = stream.write.bind(stream);
    const end = stream.end.bind(stream);
    const count = (chunk: unknown, encoding: unknown): void => {
      if (typeof chunk === 'string')
        this.#bytes += Buffer.byteLength(chunk, isEncoding(encoding) ? encoding : 'utf8');
      else if (chunk instanceof Uint8Array) this.#bytes += chunk.length;
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
  }

  bytes(): number {
    return this.#bytes;
  }
}

function isEncoding(encoding: unknown): encoding is BufferEncoding {
  return typeof encoding === 'string' && Buffer.isEncoding(encoding);
}
