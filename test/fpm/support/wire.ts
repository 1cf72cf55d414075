/**
 * FastCGI by hand: bytes and one bare socket. It shares no code with the library, so that what it shows of a real
 * server is the server's doing, and so that bytes can be sent that the library never would.
 */
import { connect, type Socket } from 'node:net';
import type { Endpoint } from './http-server.ts';
import { within } from './wait.ts';

export const BEGIN = 1;
export const ABORT = 2;
export const END = 3;
export const PARAMS = 4;
export const STDIN = 5;
export const STDOUT = 6;
export const STDERR = 7;
export const GET_VALUES = 9;
export const GET_VALUES_RESULT = 10;

/** How long a test waits for an answer before it calls it none, in milliseconds. */
const PATIENCE = 8000;

export interface WireRecord {
  readonly type: number;
  readonly id: number;
  readonly content: Buffer;
}

export function record(type: number, content: string | Uint8Array = '', padding = 0, id = 1): Buffer {
  const body = Buffer.from(content as string);
  const { length } = body;
  const head = Buffer.from([1, type, id >> 8, id & 255, length >> 8, length & 255, padding, 0]);
  return Buffer.concat([head, body, Buffer.alloc(padding)]);
}

/** BEGIN_REQUEST as a responder. */
export function begin(keep: boolean): Buffer {
  return record(BEGIN, Buffer.from([0, 1, keep ? 1 : 0, 0, 0, 0, 0, 0]));
}

export function pair(name: string, value: string): Buffer {
  const parts = [Buffer.from(name), Buffer.from(value)];
  const lengths = parts.map(({ length }) => {
    if (length < 128) return Buffer.from([length]);
    const long = Buffer.alloc(4);
    long.writeUInt32BE((length | 0x80000000) >>> 0);
    return long;
  });
  return Buffer.concat([...lengths, ...parts]);
}

export function pairs(params: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(Object.entries(params).map(([name, value]) => pair(name, value)));
}

export interface RequestBytes {
  /** Without CONTENT_LENGTH it is added for a body. */
  readonly params: Readonly<Record<string, string>>;
  readonly body?: string;
  /** FCGI_KEEP_CONN; default true. */
  readonly keep?: boolean;
  /** The empty STDIN record at the end; default true. */
  readonly terminator?: boolean;
}

export function request({ params, body = '', keep = true, terminator = true }: RequestBytes): Buffer {
  const length =
    body === '' || 'CONTENT_LENGTH' in params ? {} : { CONTENT_LENGTH: String(Buffer.byteLength(body)) };
  return Buffer.concat([
    begin(keep),
    record(PARAMS, pairs({ ...params, ...length })),
    record(PARAMS),
    ...(body === '' ? [] : [record(STDIN, body)]),
    ...(terminator ? [record(STDIN)] : []),
  ]);
}

/** One response: its records as they came, END_REQUEST the last. */
export interface Answer {
  readonly records: readonly WireRecord[];
  readonly stdout: string;
  readonly stderr: string;
  /** What stands after the head. */
  readonly body: string;
  readonly appStatus: number;
}

/** A connection that keeps what it hears. It does not answer a FIN with one of its own. */
export class Wire {
  readonly #socket: Socket;
  readonly #watchers = new Set<() => void>();
  #bytes: Buffer = Buffer.alloc(0);
  #unread: WireRecord[] = [];
  /** Has the server sent a FIN? */
  fin = false;
  /** The error that ended the connection, as errno has it. */
  error: string | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('end', () => {
      this.fin = true;
      this.#notify();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error ??= error.code;
      this.#notify();
    });
    socket.on('close', () => this.#notify());
  }

  static connect(endpoint: Endpoint): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const socket = connect({ ...endpoint, allowHalfOpen: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new Wire(socket));
      });
    });
  }

  send(...parts: readonly Buffer[]): void {
    this.#socket.write(Buffer.concat(parts));
  }

  /** Sends a FIN; the other direction stays open. */
  half(): void {
    this.#socket.end();
  }

  close(): void {
    this.#socket.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Resolves when the server has ended the connection: 'FIN', or the error's code. */
  async over(): Promise<string> {
    return this.#when(() => this.error ?? (this.fin ? 'FIN' : undefined), 'the end of the connection');
  }

  /** The next record of this type, those before it dropped. */
  async next(type: number): Promise<WireRecord> {
    return this.#when(() => {
      const at = this.#unread.findIndex((one) => one.type === type);
      return at < 0 ? undefined : this.#unread.splice(0, at + 1).at(-1);
    }, `a record of type ${type}`);
  }

  /** The next whole response; rejects where the connection ends before. */
  async answer(): Promise<Answer> {
    const records = await this.#when(() => {
      const at = this.#unread.findIndex(({ type }) => type === END);
      if (at >= 0) return this.#unread.splice(0, at + 1);
      if (this.fin || this.error) throw new Error(`no answer: ${this.error ?? 'FIN'}`);
      return undefined;
    }, 'an answer');
    const text = (type: number): string =>
      Buffer.concat(records.filter((one) => one.type === type).map(({ content }) => content)).toString();
    const stdout = text(STDOUT);
    return {
      records,
      stdout,
      stderr: text(STDERR),
      body: stdout.slice(stdout.indexOf('\r\n\r\n') + 4),
      appStatus: records.at(-1)?.content.readUInt32BE(0) ?? -1,
    };
  }

  async ask(bytes: RequestBytes): Promise<Answer> {
    this.send(request(bytes));
    return this.answer();
  }

  #take(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (this.#bytes.length >= 8) {
      const length = this.#bytes.readUInt16BE(4);
      const whole = 8 + length + this.#bytes.readUInt8(6);
      if (this.#bytes.length < whole) break;
      this.#unread.push({
        type: this.#bytes.readUInt8(1),
        id: this.#bytes.readUInt16BE(2),
        content: this.#bytes.subarray(8, 8 + length),
      });
      this.#bytes = this.#bytes.subarray(whole);
    }
    this.#notify();
  }

  #notify(): void {
    for (const look of this.#watchers) look();
  }

  async #when<T>(look: () => T | undefined, what: string): Promise<T> {
    let watch: (() => void) | undefined;
    const seen = new Promise<T>((resolve, reject) => {
      watch = () => {
        try {
          const found = look();
          if (found !== undefined) resolve(found);
        } catch (error) {
          reject(error);
        }
      };
      this.#watchers.add(watch);
      watch();
    });
    try {
      return await within(seen, PATIENCE, what);
    } finally {
      if (watch) this.#watchers.delete(watch);
    }
  }
}
