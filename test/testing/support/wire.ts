/** FastCGI by hand, from the specification and without src/protocol, so that the two cannot share a mistake. */
import { connect, type Socket } from 'node:net';
import { begin, END, PARAMS, pairs, record, STDIN, STDOUT } from '../../fpm/support/wire.ts';

export {
  ABORT,
  begin,
  END,
  GET_VALUES,
  GET_VALUES_RESULT,
  PARAMS,
  pair,
  record,
  STDERR,
  STDIN,
  STDOUT,
} from '../../fpm/support/wire.ts';

export interface WireRecord {
  readonly type: number;
  readonly id: number;
  readonly content: Buffer;
  readonly padding: number;
}

export interface RequestParts {
  readonly params?: Readonly<Record<string, string>>;
  readonly keepConn?: boolean;
  /** Sent as one STDIN record; CONTENT_LENGTH is added unless the params have one. */
  readonly body?: string;
  readonly terminator?: boolean;
  /** The param ID, by which a test knows its requests. */
  readonly id?: string;
}

/** A whole request; a GET, kept, with its STDIN terminator, unless told otherwise. */
export function request(parts: RequestParts = {}): Buffer {
  const { keepConn = true, body = '', terminator = true } = parts;
  const params = {
    REQUEST_METHOD: body === '' ? 'GET' : 'POST',
    ...(body === '' ? {} : { CONTENT_LENGTH: String(Buffer.byteLength(body)) }),
    ...(parts.id === undefined ? {} : { ID: parts.id }),
    ...parts.params,
  };
  return Buffer.concat([
    begin(keepConn),
    record(PARAMS, pairs(params)),
    record(PARAMS),
    body === '' ? Buffer.alloc(0) : record(STDIN, body),
    terminator ? record(STDIN) : Buffer.alloc(0),
  ]);
}

/** How the connection ended, as the client's kernel saw it. */
export type Ending = 'FIN' | 'ECONNRESET' | 'EPIPE';

/** A client that writes what it is told and keeps what comes. */
export class WireClient implements AsyncDisposable {
  /** Settles when the server has closed its side, or reset the connection. */
  readonly ending: Promise<Ending>;
  readonly socket: Socket;
  /** The sizes of the chunks that came. */
  readonly chunks: number[] = [];
  received: Buffer = Buffer.alloc(0);
  readonly #watchers: Set<() => void> = new Set();

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.chunks.push(chunk.length);
      this.received = Buffer.concat([this.received, chunk]);
      for (const watcher of this.#watchers) watcher();
    });
    this.ending = new Promise((resolve, reject) => {
      socket.on('end', () => resolve('FIN'));
      socket.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNRESET' || error.code === 'EPIPE') resolve(error.code);
        else reject(error);
      });
    });
  }

  /** Half-open, so that a FIN leaves the client's own side to the test. */
  static async open(address: string): Promise<WireClient> {
    const port = /:(\d+)$/.exec(address)?.[1];
    const where = port === undefined ? { path: address.replace(/^unix:/, '') } : { port: Number(port) };
    const socket = connect({ ...where, allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new WireClient(socket);
  }

  send(...bytes: Uint8Array[]): this {
    this.socket.write(Buffer.concat(bytes));
    return this;
  }

  /** Sends, and waits until the kernel has taken it. */
  written(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** The complete records among what came. */
  records(): WireRecord[] {
    const records: WireRecord[] = [];
    const bytes = this.received;
    for (let at = 0; at + 8 <= bytes.length; ) {
      const length = bytes.readUInt16BE(at + 4);
      const padding = bytes.readUInt8(at + 6);
      const end = at + 8 + length + padding;
      if (end > bytes.length) break;
      const content = bytes.subarray(at + 8, at + 8 + length);
      records.push({ type: bytes.readUInt8(at + 1), id: bytes.readUInt16BE(at + 2), content, padding });
      at = end;
    }
    return records;
  }

  /** Waits for so many END_REQUEST records, the first by default; gives all records up to then. */
  async ended(count = 1): Promise<WireRecord[]> {
    await this.#until(() => this.records().filter(({ type }) => type === END).length >= count);
    return this.records();
  }

  /** The STDOUT so far, or STDERR, of all responses together. */
  text(type: number = STDOUT): string {
    const records = this.records().filter((one) => one.type === type);
    return Buffer.concat(records.map(({ content }) => content)).toString();
  }

  close(): void {
    this.socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #until(condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const watcher = (): void => {
        if (!condition()) return;
        this.#watchers.delete(watcher);
        resolve();
      };
      this.#watchers.add(watcher);
      watcher();
      void this.ending.then((how) => {
        if (!condition()) reject(new Error(`the connection ended with ${how} before it`));
      }, reject);
    });
  }
}
