/** The body of a request, in a form that can be sent more than once where that is possible at all. */
import { Readable } from 'node:stream';
import { isUint8Array } from 'node:util/types';
import { noBody, noPiece, whyUnreadable } from '../../arguments.ts';
import { ArgumentError } from '../../errors.ts';
import type { Params } from '../../protocol/params.ts';
import type { Body } from '../dispatcher.ts';
import { iterate } from './source.ts';

export interface BytesBody {
  readonly kind: 'bytes';
  /** The caller's memory: see checkUnchanged. */
  readonly bytes: Uint8Array;
  /** As it was when the request was given. */
  readonly length: number;
  /** The params have no CONTENT_LENGTH: it must be added. */
  readonly addLength: boolean;
}

export interface StreamedBody {
  readonly kind: 'stream';
  readonly stream: BodyStream;
  readonly length: number;
  readonly addLength: false;
}

export type PlannedBody = BytesBody | StreamedBody;

/**
 * A stream that is read before anything is sent: where its source fails afterwards, PHP runs the script with what it has of
 * the body, whatever we do. It is read whole where its length is not known, as PHP-FPM sees no body without CONTENT_LENGTH,
 * and for a POST, where it is short enough: PHP reads all of that before the script starts. Else its first piece has to do: a
 * source that cannot even begin must not have a PUT run without its body.
 */
export interface UnreadBody {
  readonly kind: 'unread';
  readonly stream: BodyStream;
  /** Rejects as the source does, and with FCGI_ERR_BODY_LENGTH_REQUIRED if it is longer than `replayBuffer`. */
  readonly read: Promise<PlannedBody>;
}

const NOTHING = new Uint8Array(0);
const NO_BODY: BytesBody = { kind: 'bytes', bytes: NOTHING, length: 0, addLength: false };

/**
 * Throws FCGI_ERR_INVALID_ARG (not a body, or a CONTENT_LENGTH that is no number) and FCGI_ERR_BODY_LENGTH.
 */
export function planBody(
  body: Body | undefined,
  params: Params,
  replayBuffer: number,
): PlannedBody | UnreadBody {
  const declared = contentLength(params);
  if (body === undefined || body === null) {
    if (declared !== null && declared > 0) throw wrongLength(declared, 'there is no body');
    return NO_BODY;
  }
  if (typeof body === 'string' || isUint8Array(body)) {
    const bytes = typeof body === 'string' ? Buffer.from(body, 'utf8') : bytesOf(body);
    if (declared !== null && declared !== bytes.length)
      throw wrongLength(declared, `the body has ${bytes.length} bytes`);
    return { kind: 'bytes', bytes, length: bytes.length, addLength: declared === null && bytes.length > 0 };
  }
  if (typeof body !== 'object' || typeof body[Symbol.asyncIterator] !== 'function')
    throw invalid('body', noBody(body));
  const wrong = whyUnreadable(body);
  if (wrong !== null) throw invalid('body', wrong);
  const stream = new BodyStream(body, replayBuffer, declared);
  if (declared !== null && (declared > replayBuffer || !isPost(params)))
    return { kind: 'unread', stream, read: readFirst(stream, declared) };
  return { kind: 'unread', stream, read: readWhole(stream, replayBuffer) };
}

/**
 * Throws FCGI_ERR_BODY_LENGTH where the caller has resized the memory of the body, or transferred it to another thread: a
 * request that promises more bytes than it sends waits for an answer in vain.
 */
export function checkUnchanged(body: PlannedBody): void {
  if (body.kind === 'stream' || body.bytes.length === body.length) return;
  throw wrongLength(
    body.length,
    `its memory was resized or transferred, and has ${body.bytes.length} bytes now`,
  );
}

async function readFirst(stream: BodyStream, length: number): Promise<StreamedBody> {
  await stream.begin();
  return { kind: 'stream', stream, length, addLength: false };
}

async function readWhole(stream: BodyStream, replayBuffer: number): Promise<BytesBody> {
  const pieces: Uint8Array[] = [];
  for (let i = 0; ; i++) {
    const piece = await stream.piece(i);
    if (piece === null) break;
    if (!stream.replayable) {
      stream.cancel();
      throw new ArgumentError(
        'FCGI_ERR_BODY_LENGTH_REQUIRED',
        'params.CONTENT_LENGTH',
        `a stream longer than replayBuffer (${replayBuffer} bytes) needs CONTENT_LENGTH: PHP-FPM gives PHP no body without it`,
      );
    }
    pieces.push(piece);
  }
  const bytes = Buffer.concat(pieces);
  return { kind: 'bytes', bytes, length: bytes.length, addLength: !stream.isDeclared && bytes.length > 0 };
}

/**
 * An iterable that may be read from its start again, as long as no more than `replayBuffer` bytes have come out of it.
 * Two readers never run at once, but a reader may be given up while it waits: what it waited for is not lost.
 */
export class BodyStream {
  readonly #iterator: AsyncIterator<Uint8Array | string>;
  readonly #replayBuffer: number;
  readonly #declared: number | null;
  /** Its buffers stay as they are, as a Node stream's do; any other iterable may fill the same one again. */
  readonly #keepsBuffers: boolean;
  #held: Uint8Array[] = [];
  #dropped = false;
  /** Some of it has been asked for, to be sent. */
  #started = false;
  /** Pieces that have come out of it. */
  #count = 0;
  #length = 0;
  #next: Promise<Uint8Array | null> | null = null;
  #ended = false;
  /** The first half of a character (a surrogate), whose second may come with the next string. */
  #half = '';

  constructor(source: AsyncIterable<Uint8Array | string>, replayBuffer: number, declared: number | null) {
    this.#iterator = iterate(source);
    if (typeof this.#iterator?.next !== 'function') throw invalid('body', 'the body gave no iterator');
    this.#replayBuffer = replayBuffer;
    this.#declared = declared;
    this.#keepsBuffers = source instanceof Readable;
  }

  /** It comes with a CONTENT_LENGTH. */
  get isDeclared(): boolean {
    return this.#declared !== null;
  }

  /**
   * All that came out of it can be had again, and it will stay so: of a stream that turns out to be too long while it
   * is sent once more, the beginning would be gone.
   */
  get replayable(): boolean {
    if (this.#dropped) return false;
    return !this.#started || this.#declared === null || this.#declared <= this.#replayBuffer;
  }

  /**
   * The piece `index`, or null at the end. Rejects as the source does, and with FCGI_ERR_BODY_LENGTH as soon as the
   * source has given more than its CONTENT_LENGTH, or has ended with less.
   */
  piece(index: number): Promise<Uint8Array | null> {
    const held = this.#held[index];
    this.#started = true;
    this.#dropTooMuch();
    if (held !== undefined) return Promise.resolve(held);
    if (index < this.#count) return Promise.reject(goneBeginning());
    return this.#nextPiece();
  }

  /** Resolves once the first piece is there to be had, or the end. Rejects as `piece` does. */
  async begin(): Promise<void> {
    if (this.#count === 0) await this.#nextPiece();
  }

  /** Tells the source that no more is wanted. */
  cancel(): void {
    if (this.#ended) return;
    this.#ended = true;
    // A generator that is waiting itself never settles this; and what it throws then concerns nobody.
    new Promise((resolve) => resolve(this.#iterator.return?.())).catch(() => undefined);
  }

  #nextPiece(): Promise<Uint8Array | null> {
    if (this.#ended) return Promise.resolve(null);
    this.#next ??= this.#pull().finally(() => {
      this.#next = null;
    });
    return this.#next;
  }

  async #pull(): Promise<Uint8Array | null> {
    for (;;) {
      const { done, value } = (await this.#iterator.next()) ?? {};
      if (done === true) this.#ended = true;
      const piece = this.#bytes(done === true ? new Uint8Array(0) : value);
      if (!isUint8Array(piece)) throw invalid('body', noPiece(piece));
      this.#length += piece.length;
      if (this.#declared !== null && this.#length > this.#declared) {
        throw wrongLength(this.#declared, `the body has ${this.#length} bytes and more`);
      }
      if (done === true && this.#declared !== null && this.#length < this.#declared) {
        throw wrongLength(this.#declared, `the body ended after ${this.#length} bytes`);
      }
      if (piece.length === 0 && done !== true) continue;
      if (piece.length === 0) return null;
      const kept = this.#keepsBuffers ? piece : Buffer.from(piece);
      this.#hold(kept);
      return kept;
    }
  }

  /** Strings as UTF-8: a character that is cut in two between them is put together again. */
  #bytes(value: Uint8Array | string | undefined): Uint8Array | undefined {
    const half = this.#half;
    if (typeof value === 'string') {
      const text = half + value;
      const last = text.charCodeAt(text.length - 1);
      this.#half = last >= 0xd800 && last < 0xdc00 ? text.slice(-1) : '';
      return Buffer.from(this.#half === '' ? text : text.slice(0, -1), 'utf8');
    }
    if (half === '' || !isUint8Array(value)) return value;
    this.#half = '';
    return Buffer.concat([Buffer.from(half, 'utf8'), value]);
  }

  #hold(piece: Uint8Array): void {
    this.#count++;
    if (!this.#dropped) this.#held.push(piece);
    this.#dropTooMuch();
  }

  /** What was read ahead is held in any case, until it is asked for. */
  #dropTooMuch(): void {
    if (!this.#started || this.#length <= this.#replayBuffer) return;
    this.#dropped = true;
    this.#held = [];
  }
}

/** Of whatever class, with methods as a Buffer has them. Throws FCGI_ERR_INVALID_ARG. */
function bytesOf(body: Uint8Array): Uint8Array {
  if (Buffer.isBuffer(body) && body.length > 0) return body;
  try {
    return Buffer.from(body.buffer, body.byteOffset, body.length);
  } catch {
    throw invalid(
      'body',
      'the memory of the body has been transferred to somebody else, so its bytes are gone',
    );
  }
}

function isPost(params: Params): boolean {
  const method = params['REQUEST_METHOD'] ?? '';
  return (typeof method === 'string' ? method : Buffer.from(method).toString('latin1')) === 'POST';
}

/** Null where it is not there or empty, as many gateways send it. Throws FCGI_ERR_INVALID_ARG. */
function contentLength(params: Params): number | null {
  const value = params['CONTENT_LENGTH'];
  if (value === undefined || value.length === 0) return null;
  const text = typeof value === 'string' ? value : Buffer.from(value).toString('latin1');
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw invalid(
    'params.CONTENT_LENGTH',
    `CONTENT_LENGTH must be a number of bytes, not ${JSON.stringify(text)}`,
  );
}

function goneBeginning(): Error {
  return new Error('the beginning of the body is not held any more, so that it cannot be sent again');
}

function wrongLength(declared: number, found: string): ArgumentError {
  return new ArgumentError(
    'FCGI_ERR_BODY_LENGTH',
    'body',
    `CONTENT_LENGTH says ${declared} bytes, but ${found}`,
  );
}

function invalid(option: string, message: string): ArgumentError {
  return new ArgumentError('FCGI_ERR_INVALID_ARG', option, message);
}
