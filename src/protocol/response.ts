/**
 * The records that answer one request, checked against the specification: which may come, in which order, how long
 * their bodies are. No I/O.
 */
import { ProtocolError, type ProtocolErrorCode } from '../errors.ts';
import { ProtocolStatus, RecordType } from './constants.ts';
import { RecordDecoder, type RecordSink } from './decoder.ts';
import { REQUEST_ID } from './encoder.ts';
import { decodeEndRequest, type EndRequest, FIXED_BODY_LENGTH } from './record.ts';

/** What a ResponseDecoder calls. What it throws comes out of `push`. */
export interface ResponseSink {
  /** The bytes `start` to `end` of `chunk` are STDOUT; at least one. */
  onStdout(chunk: Buffer, start: number, end: number): void;
  /** The bytes `start` to `end` of `chunk` are STDERR; at least one. */
  onStderr(chunk: Buffer, start: number, end: number): void;
  /**
   * END_REQUEST, its padding included: the only end of a response (PHP-FPM need not send an empty STDOUT). Bytes
   * behind it make `push` throw after this call: reuse the connection only once `push` has returned.
   */
  onEndRequest(end: EndRequest): void;
}

export class ResponseDecoder implements RecordSink {
  readonly #sink: ResponseSink;
  readonly #records: RecordDecoder = new RecordDecoder(this);
  readonly #endBody: Buffer = Buffer.alloc(FIXED_BODY_LENGTH);
  #endLength = 0;
  #type = 0;
  #open = false;
  #stdoutEnded = false;
  #stderrEnded = false;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
  }

  /** A request has gone out: records may come. No state of the response before survives. */
  begin(): void {
    this.#open = true;
    this.#stdoutEnded = false;
    this.#stderrEnded = false;
    this.#endLength = 0;
  }

  /**
   * Throws a ProtocolError whose code says what is wrong with which record; after that the decoder is of no more
   * use, and neither is the connection.
   */
  push(chunk: Buffer, length: number = chunk.length): void {
    if (!this.#open && length > 0) throw trailing(length);
    this.#records.push(chunk, length);
  }

  /** No record has begun that has not ended. */
  get atBorder(): boolean {
    return this.#records.atBorder;
  }

  onRecord(type: number, requestId: number, contentLength: number): void {
    if (requestId !== REQUEST_ID) {
      throw wrong(
        'FCGI_ERR_RECORD_ID',
        `a record of type ${type} came for request ${requestId}, not ${REQUEST_ID}`,
      );
    }
    this.#type = type;
    switch (type) {
      case RecordType.STDOUT:
        if (this.#stdoutEnded) throw wrong('FCGI_ERR_RECORD_ORDER', 'STDOUT came after its empty record');
        this.#stdoutEnded = contentLength === 0;
        return;
      case RecordType.STDERR:
        if (this.#stderrEnded) throw wrong('FCGI_ERR_RECORD_ORDER', 'STDERR came after its empty record');
        this.#stderrEnded = contentLength === 0;
        return;
      case RecordType.END_REQUEST:
        if (contentLength === FIXED_BODY_LENGTH) return;
        throw wrong(
          'FCGI_ERR_RECORD_LENGTH',
          `END_REQUEST has ${contentLength} bytes, not ${FIXED_BODY_LENGTH}`,
        );
      default:
        throw wrong('FCGI_ERR_RECORD_TYPE', `a record of type ${type} is not part of a response`);
    }
  }

  onContent(chunk: Buffer, start: number, end: number): void {
    if (this.#type === RecordType.STDOUT) this.#sink.onStdout(chunk, start, end);
    else if (this.#type === RecordType.STDERR) this.#sink.onStderr(chunk, start, end);
    else this.#endLength += chunk.copy(this.#endBody, this.#endLength, start, end);
  }

  onRecordEnd(rest: number): void {
    if (this.#type !== RecordType.END_REQUEST) return;
    this.#open = false;
    this.#sink.onEndRequest(decodeEndRequest(this.#endBody));
    // Even half a header: left in the decoder, it would be taken for the start of the next response.
    if (rest > 0) throw trailing(rest);
  }
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

function trailing(length: number): ProtocolError {
  return wrong('FCGI_ERR_RECORD_TRAILING', `bytes came after the end of the response: ${length}`);
}

function wrong(code: ProtocolErrorCode, message: string): ProtocolError {
  return new ProtocolError(code, message);
}
