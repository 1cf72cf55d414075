/**
 * The records that answer one request, checked against the specification: which may come, in which order, how long
 * their bodies are. No I/O.
 */
import { ProtocolError, type ProtocolErrorCode } from '../errors.ts';
import { NULL_REQUEST_ID, ProtocolStatus, RecordType } from './constants.ts';
import { decodeParams } from './decode-params.ts';
import { RecordDecoder, type RecordSink } from './decoder.ts';
import { REQUEST_ID } from './encoder.ts';
import { byteAt, decodeEndRequest, type EndRequest, FIXED_BODY_LENGTH } from './record.ts';

/** What a ResponseDecoder calls. What it throws comes out of `push`. */
export interface ResponseSink {
  /** The first record under the request's own id: the server has read the request. */
  onAnswer?(): void;
  /** The bytes `start` to `end` of `chunk` are STDOUT; at least one. */
  onStdout(chunk: Buffer, start: number, end: number): void;
  /** The bytes `start` to `end` of `chunk` are STDERR; at least one. */
  onStderr(chunk: Buffer, start: number, end: number): void;
  /** STDERR of a request whose response has ended: PHP writes such behind `fastcgi_finish_request()`. */
  onLateStderr?(requestId: number, chunk: Buffer, start: number, end: number): void;
  /**
   * END_REQUEST of a request that had ended before, and no record of the one that is due: it may be that one's answer, from a server that
   * gives no id back as it got it.
   */
  onEndedAgain?(requestId: number): void;
  /** The answer to FCGI_GET_VALUES; empty where the server does not know that record. */
  onValues?(values: ReadonlyMap<string, Buffer>): void;
  /**
   * END_REQUEST, its padding included: the only end of a response (PHP-FPM need not send an empty STDOUT). Bytes
   * behind it make `push` throw after this call, unless they are late STDERR: reuse the connection only once `push`
   * has returned and the decoder is at a border.
   */
  onEndRequest(end: EndRequest): void;
}

/** What is done with the record that is being read. */
type Reading = 'stdout' | 'stderr' | 'end' | 'late-stderr' | 'values' | 'nothing';

export class ResponseDecoder implements RecordSink {
  readonly #sink: ResponseSink;
  readonly #records: RecordDecoder = new RecordDecoder(this);
  readonly #endBody: Buffer = Buffer.alloc(FIXED_BODY_LENGTH);
  #endLength = 0;
  #reading: Reading = 'nothing';
  #open = false;
  #answered = false;
  #stdoutEnded = false;
  #stderrEnded = false;
  /** Of the latest request, the highest of all, and of the record that is being read. */
  #id = 0;
  #highestId = 0;
  #recordId = 0;
  /** Null: no FCGI_GET_VALUES is under way. */
  #values: Buffer[] | null = null;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
  }

  /** A request has gone out under `requestId`: records may come. No state of the response before survives. */
  begin(requestId: number = REQUEST_ID): void {
    this.#open = true;
    this.#answered = false;
    this.#stdoutEnded = false;
    this.#stderrEnded = false;
    this.#endLength = 0;
    this.#id = requestId;
    this.#highestId = Math.max(this.#highestId, requestId);
    this.#values = null;
  }

  /** FCGI_GET_VALUES has gone out. */
  ask(): void {
    this.#values = [];
  }

  /**
   * Throws a ProtocolError whose code says what is wrong with which record; after that the decoder is of no more
   * use, and neither is the connection.
   */
  push(chunk: Buffer, length: number = chunk.length): void {
    try {
      this.#records.push(chunk, length);
    } catch (error) {
      // Behind the end of a response all is wrong in the same way.
      const { code } = error instanceof ProtocolError ? error : { code: '' };
      if (!this.#open && code === 'FCGI_ERR_RECORD_VERSION') throw trailing();
      throw error;
    }
  }

  /** No record has begun that has not ended. */
  get atBorder(): boolean {
    return this.#records.atBorder;
  }

  /** A record of the response to the latest request has come. */
  get isAnswered(): boolean {
    return this.#answered;
  }

  /** An empty record has ended STDOUT or STDERR. */
  get endsStreams(): boolean {
    return this.#stdoutEnded || this.#stderrEnded;
  }

  onRecord(type: number, requestId: number, contentLength: number): void {
    this.#recordId = requestId;
    if (requestId === this.#id && this.#open) this.#reading = this.#own(type, contentLength);
    else if (requestId === NULL_REQUEST_ID && this.#values !== null) this.#reading = management(type);
    else this.#reading = this.#ofAnother(type, requestId);
  }

  onContent(chunk: Buffer, start: number, end: number): void {
    switch (this.#reading) {
      case 'stdout':
        this.#sink.onStdout(chunk, start, end);
        return;
      case 'stderr':
        this.#sink.onStderr(chunk, start, end);
        return;
      case 'end':
        // Byte by byte: for eight of them copy() takes longer, and leaves an object behind.
        for (let at = start; at < end; at++) this.#endBody[this.#endLength++] = byteAt(chunk, at);
        return;
      case 'late-stderr':
        this.#sink.onLateStderr?.(this.#recordId, chunk, start, end);
        return;
      case 'values':
        this.#values?.push(Buffer.from(chunk.subarray(start, end)));
        return;
      default:
    }
  }

  onRecordEnd(rest: number): void {
    if (this.#reading === 'end') {
      this.#open = false;
      this.#sink.onEndRequest(decodeEndRequest(this.#endBody));
      // A request that goes out now must not be answered by what has come before.
      if (this.#open && rest > 0) throw trailing();
    } else if (this.#values !== null && this.#recordId === NULL_REQUEST_ID) {
      const values = decodeParams(Buffer.concat(this.#values));
      this.#values = null;
      this.#sink.onValues?.(values);
    }
  }

  #own(type: number, contentLength: number): Reading {
    if (type !== RecordType.STDOUT && type !== RecordType.STDERR && type !== RecordType.END_REQUEST) {
      throw wrong('FCGI_ERR_RECORD_TYPE', `a record of type ${type} is not part of a response`);
    }
    if (type === RecordType.END_REQUEST && contentLength !== FIXED_BODY_LENGTH) {
      throw wrong(
        'FCGI_ERR_RECORD_LENGTH',
        `END_REQUEST has ${contentLength} bytes, not ${FIXED_BODY_LENGTH}`,
      );
    }
    if (!this.#answered) {
      this.#answered = true;
      this.#sink.onAnswer?.();
    }
    if (type === RecordType.END_REQUEST) return 'end';
    if (type === RecordType.STDOUT) {
      if (this.#stdoutEnded) throw wrong('FCGI_ERR_RECORD_ORDER', 'STDOUT came after its empty record');
      this.#stdoutEnded = contentLength === 0;
      return 'stdout';
    }
    if (this.#stderrEnded) throw wrong('FCGI_ERR_RECORD_ORDER', 'STDERR came after its empty record');
    this.#stderrEnded = contentLength === 0;
    return 'stderr';
  }

  /** A worker goes on writing under the id that it had, until it reads the next request. */
  #ofAnother(type: number, requestId: number): Reading {
    const isKnown = requestId !== NULL_REQUEST_ID && requestId <= this.#highestId;
    if (type === RecordType.STDERR && isKnown) return 'late-stderr';
    if (!this.#open) throw trailing();
    if (isKnown) {
      if (type === RecordType.END_REQUEST && !this.#answered) this.#sink.onEndedAgain?.(requestId);
      return 'nothing';
    }
    // Of the connection, not of a request: nobody's ids are mixed up.
    if (requestId === NULL_REQUEST_ID && isManagement(type)) {
      throw wrong('FCGI_ERR_RECORD_TYPE', `a record of type ${type} came, for which nobody had asked`);
    }
    throw wrong(
      'FCGI_ERR_RECORD_ID',
      `a record of type ${type} came for request ${requestId}, not ${this.#id}`,
    );
  }
}

function isManagement(type: number): boolean {
  return type === RecordType.GET_VALUES_RESULT || type === RecordType.UNKNOWN_TYPE;
}

/** UNKNOWN_TYPE is an answer, too: without values. */
function management(type: number): Reading {
  if (type === RecordType.GET_VALUES_RESULT) return 'values';
  if (type === RecordType.UNKNOWN_TYPE) return 'nothing';
  throw wrong('FCGI_ERR_RECORD_TYPE', `a record of type ${type} does not answer GET_VALUES`);
}

/** Null for REQUEST_COMPLETE; else the error that says how the server refused (specification 5.5). */
export function refusal(end: EndRequest): ProtocolError | null {
  switch (end.protocolStatus) {
    case ProtocolStatus.REQUEST_COMPLETE:
      return null;
    case ProtocolStatus.CANT_MPX_CONN:
      return wrong('FCGI_ERR_CANT_MPX_CONN', 'the server refused the request: CANT_MPX_CONN');
    case ProtocolStatus.OVERLOADED:
      return wrong('FCGI_ERR_OVERLOADED', 'the server refused the request: OVERLOADED');
    case ProtocolStatus.UNKNOWN_ROLE:
      return wrong('FCGI_ERR_UNKNOWN_ROLE', 'the server refused the request: UNKNOWN_ROLE');
    default:
      return wrong(
        'FCGI_ERR_RECORD_ORDER',
        `END_REQUEST has the unknown protocolStatus ${end.protocolStatus}`,
      );
  }
}

function trailing(): ProtocolError {
  return wrong('FCGI_ERR_RECORD_TRAILING', 'bytes came after the end of the response');
}

function wrong(code: ProtocolErrorCode, message: string): ProtocolError {
  return new ProtocolError(code, message);
}
