/** Sends a Reply by node's response object, HTTP/1 or HTTP/2. */
import { FilePart } from '../../site/static/file-part.ts';
import type { OutgoingFile } from '../handed-file.ts';
import type { OwnAnswer, ReplyHead } from '../head.ts';
import { CoalescingSink } from './coalescing-sink.ts';
import { setHead } from './node-headers.ts';
import { cutShort, destroyResponse, flushHead, freeRequest, isGone, isHttp2 } from './node-response.ts';
import { pipeFile } from './pipe-file.ts';
import { SendTimeout } from './send-timeout.ts';

export class NodeSink extends CoalescingSink {
  #timeout: SendTimeout | null = null;
  #awaitsDrain = false;
  /** What was set of PHP's head; it goes where an error takes its place. */
  #fields: readonly string[] = [];
  #isStream = false;
  /** The head is to be written before the end: see safeDisposition. */
  #isRaw = false;

  override startSendTimeout(timeout: number): void {
    this.#timeout ??= new SendTimeout(
      this.response,
      () => destroyResponse(this.response),
      (callback) => this.whenTaken(callback),
    );
    this.#timeout.start(timeout);
  }

  protected override check(head: ReplyHead): void {
    this.#fields = head.fields;
    this.#isStream = head.isStream;
    this.#isRaw = setHead(this.response, head);
  }

  protected override begin(head: ReplyHead, piece: Buffer | null): void {
    if (piece) this.more(piece);
    // a page may be long in coming: its head would be kept back until then
    else flushHead(this.response, head);
  }

  protected override more(chunk: Buffer): boolean {
    const { response } = this;
    // a wrapper around write() may return nothing: pipe() stops at false alone, too
    const isTaken = (isHttp2(response) ? response.write(chunk) : response.write(chunk)) !== false;
    if (this.#isStream) flushEvents(response);
    if (!isTaken && !this.#awaitsDrain) {
      this.#awaitsDrain = true;
      response.on('drain', () => this.#drained());
    }
    return isTaken;
  }

  #drained(): void {
    this.#timeout?.stop();
    this.reply?.resume();
  }

  protected override finish(): void {
    if (!isGone(this.response)) this.response.end();
  }

  /** A page that is here in one piece has a length. */
  protected override sendWhole({ hasBody, contentLength }: ReplyHead, piece: Buffer | null): void {
    const { response } = this;
    const isCounted =
      contentLength !== null || response.headersSent || response.hasHeader('transfer-encoding');
    if (hasBody && !isCounted) response.setHeader('Content-Length', String(piece?.length ?? 0));
    this.#end(piece);
  }

  #end(piece: Uint8Array | null): void {
    const { response } = this;
    if (this.#isRaw && !response.headersSent) response.writeHead(response.statusCode);
    if (piece) response.end(piece);
    else response.end();
  }

  protected override breakOff(): void {
    cutShort(this.response);
  }

  override file({ head, body }: OutgoingFile, sendTimeout: number): void {
    const { response } = this;
    this.#isRaw = setHead(response, head);
    freeRequest(this.request);
    if (body instanceof FilePart) pipeFile(body, response, sendTimeout);
    else this.#end(body);
  }

  protected override sendAnswer({ statusCode, headers, body }: OwnAnswer): void {
    const { response } = this;
    for (let i = 0; i < this.#fields.length; i += 2) response.removeHeader(this.#fields[i] ?? '');
    response.statusCode = statusCode;
    if (!isHttp2(response)) response.statusMessage = '';
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    // what is left of a body that has stalled would hold the connection
    if (statusCode === 408 && !isHttp2(response)) response.setHeader('Connection', 'close');
    response.end(typeof body === 'string' ? Buffer.from(body) : body);
  }
}

/** What `compression` adds to a response: an event is to be seen when it happens, not when a block is full. */
function flushEvents(response: object): void {
  if ('flush' in response && typeof response.flush === 'function') response.flush();
}
