/** What a test writes in place of PHP: a function of a request and a response. Types only. */

/** A body to be read once, when the script likes: in pieces of 8 KiB, as PHP reads `php://input`, each as soon as it is whole. */
export interface RequestBody extends AsyncIterable<Buffer> {
  /** All that no iteration has taken; may be asked for again, also after the request. */
  bytes(): Promise<Buffer>;
  /** `bytes` as UTF-8. */
  text(): Promise<string>;
  /** The client closed, or ended its STDIN, before it had sent CONTENT_LENGTH bytes. PHP runs such a request all the same, with the whole blocks of 16 KiB that came. */
  readonly truncated: boolean;
}

export interface FakeRequest {
  /** As UTF-8. An object without a prototype. */
  readonly params: Readonly<Record<string, string | undefined>>;
  /** The same, as they came. */
  readonly rawParams: ReadonlyMap<string, Buffer>;
  /** Empty without CONTENT_LENGTH, whatever was sent. */
  readonly body: RequestBody;
  /** `body.text()`. */
  text(): Promise<string>;
  /** The client asked for the connection to be kept. */
  readonly keepConn: boolean;
  /** Which connection it came on, counted from 1 in the order in which workers accepted them. */
  readonly connection: number;
  /** Which request of that connection it is, counted from 1. */
  readonly nth: number;
}

/** How a request ended, in the words of END_REQUEST. Both default to 0, which is all PHP-FPM ever says. */
export interface EndOptions {
  /** 32 bits, unsigned. */
  readonly appStatus?: number;
  /** 0 complete, 1 cannot multiplex, 2 overloaded, 3 unknown role. */
  readonly protocolStatus?: number;
}

/**
 * Strings go out as UTF-8. The promises settle when the kernel has taken the bytes, or when the connection is gone
 * and never will: they do not reject, and a script may wait for them or not.
 */
export interface FakeResponse {
  /** CGI: header lines, an empty line, the body. Throws after `end`; after `finishEarly` it is thrown away, as in PHP. */
  stdout(content: string | Uint8Array): Promise<void>;
  /** To the server's log, at any time before `end`. After `finishEarly` it goes out behind END_REQUEST, in records of 8,184 bytes; what fills none is lost, as in PHP. */
  stderr(content: string | Uint8Array): Promise<void>;
  /** END_REQUEST. A script that returns without it gets `end()` done for it. */
  end(options?: EndOptions): Promise<void>;
  /**
   * PHP's `fastcgi_finish_request()`: END_REQUEST, and the script goes on. The worker takes the next request when
   * the script has returned.
   */
  finishEarly(): Promise<void>;

  /** A fault: bytes that need not be records. */
  raw(bytes: Uint8Array): Promise<void>;
  /** A fault: FIN, then reads and throws away until the client closes, as at `pm.max_requests`. */
  close(): Promise<void>;
  /** A fault: the worker dies. The kernel says FIN, or RST where the client has sent what nobody read. */
  kill(): Promise<void>;
  /** A fault: the client gets ECONNRESET; on a unix socket, as soon as it has sent a byte that was not read yet. */
  reset(): Promise<void>;
  /** A fault: no answer, or no more of it. Reads and throws away; settles when the client has closed. */
  hang(): Promise<void>;
}

/**
 * Runs in a worker, which does nothing else until the returned promise settles. What it throws ends the connection,
 * and is thrown once more by `stop()`, so that a failed assertion in a script fails the test.
 */
export type FakeScript = (request: FakeRequest, response: FakeResponse) => void | Promise<void>;
