/** The script's hand on the wire: STDOUT and STDERR in records, END_REQUEST, and the faults. */
import { encodeEndRequest, encodeRecord, RecordType } from '../protocol/index.ts';
import { type ExactSocket, turn } from './exact-socket.ts';
import type { FakeFpmSettings } from './options.ts';
import type { EndOptions, FakeResponse } from './script.ts';

export type OutputSettings = Pick<
  FakeFpmSettings,
  'recordSize' | 'writeSize' | 'padding' | 'stdoutTerminator'
>;

/** PHP-FPM's buffer of 8 KiB, without the header of the record. */
const LATE_RECORD = 8192 - 8;

export class ScriptResponse implements FakeResponse {
  readonly #socket: ExactSocket;
  readonly #requestId: number;
  readonly #settings: OutputSettings;
  #state: 'open' | 'ended' | 'finished early' = 'open';
  #faulty = false;
  /** Written to STDERR behind an early end, and not yet as much as PHP sends at a time. */
  #late: Buffer = Buffer.alloc(0);
  #written: Promise<void> = Promise.resolve();

  constructor(socket: ExactSocket, requestId: number, settings: OutputSettings) {
    this.#socket = socket;
    this.#requestId = requestId;
    this.#settings = settings;
  }

  /** END_REQUEST has been sent. */
  get ended(): boolean {
    return this.#state !== 'open';
  }

  /** A fault has taken the connection: the worker has to accept another one. */
  get faulty(): boolean {
    return this.#faulty;
  }

  /** Settles when all so far is with the kernel. */
  get flushed(): Promise<void> {
    return this.#written;
  }

  stdout(content: string | Uint8Array): Promise<void> {
    return this.#stream(RecordType.STDOUT, content);
  }

  stderr(content: string | Uint8Array): Promise<void> {
    return this.#stream(RecordType.STDERR, content);
  }

  end(options: EndOptions = {}): Promise<void> {
    return this.#end('ended', options);
  }

  finishEarly(): Promise<void> {
    return this.#end('finished early', {});
  }

  raw(bytes: Uint8Array): Promise<void> {
    this.#written = this.#written.then(() => this.#write(bytes));
    return this.#written;
  }

  async close(): Promise<void> {
    this.#faulty = true;
    await this.#written;
    await this.#socket.finish();
    await this.#socket.discard();
    this.#socket.destroy();
  }

  async kill(): Promise<void> {
    this.#faulty = true;
    await this.#written;
    await this.#socket.die();
  }

  async reset(): Promise<void> {
    this.#faulty = true;
    await this.#written;
    await this.#socket.reset();
  }

  async hang(): Promise<void> {
    this.#faulty = true;
    await this.#written;
    await this.#socket.discard();
    this.#socket.destroy();
  }

  #stream(type: number, content: string | Uint8Array): Promise<void> {
    if (this.#state === 'ended') throw new Error('the script writes after response.end()');
    const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
    const { recordSize } = this.#settings;
    if (this.#state === 'finished early')
      return type === RecordType.STDERR ? this.#behindEnd(bytes) : this.#written;
    if (bytes.length === 0) return this.#written;
    const records: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += recordSize) {
      records.push(this.#record(type, bytes.subarray(at, at + recordSize)));
    }
    return this.raw(Buffer.concat(records));
  }

  /** Behind END_REQUEST PHP sends what fills its buffer, under the id of the request that has ended; the rest is lost. */
  #behindEnd(bytes: Uint8Array): Promise<void> {
    const size = Math.min(this.#settings.recordSize, LATE_RECORD);
    this.#late = Buffer.concat([this.#late, bytes]);
    for (; this.#late.length >= size; this.#late = this.#late.subarray(size)) {
      void this.raw(this.#record(RecordType.STDERR, this.#late.subarray(0, size)));
    }
    return this.#written;
  }

  #end(state: 'ended' | 'finished early', options: EndOptions): Promise<void> {
    if (this.#state !== 'open') return this.#written;
    this.#state = state;
    const { appStatus = 0, protocolStatus = 0 } = options;
    const end = encodeEndRequest(this.#requestId, { appStatus, protocolStatus });
    const terminator = this.#record(RecordType.STDOUT, Buffer.alloc(0));
    return this.raw(this.#settings.stdoutTerminator ? Buffer.concat([terminator, end]) : end);
  }

  #record(type: number, content: Uint8Array): Buffer {
    const padding = this.#settings.padding ?? -content.length & 7;
    return encodeRecord(type, this.#requestId, content, padding);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    const { writeSize } = this.#settings;
    if (writeSize === 0) return this.#socket.write(bytes);
    for (let at = 0; at < bytes.length; at += writeSize) {
      await this.#socket.write(bytes.subarray(at, at + writeSize));
      // Else the kernel joins the pieces again.
      await turn();
    }
  }
}
