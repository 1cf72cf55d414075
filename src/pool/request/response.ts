/** `request()` for any Dispatcher: a promise of the head, and a Readable, on top of `dispatch()`. */
import type { FailureFacts } from '../../errors.ts';
import type {
  DispatchController,
  Dispatcher,
  DispatchHandler,
  DispatchRequest,
  Ended,
  FcgiResponse,
  ResponseHeaders,
} from '../dispatcher.ts';
import { Job } from '../job.ts';
import { type ContentLength, contentLength } from './content-length.ts';
import { paramText } from './param-facts.ts';
import { StreamedBody } from './streamed-body.ts';

/** `bodyTimeout`: ms, where the request has none of its own. */
export function requestBy(
  dispatcher: Pick<Dispatcher, 'dispatch'>,
  request: DispatchRequest,
  bodyTimeout: number,
): Promise<FcgiResponse> {
  return new Promise((resolve, reject) => {
    dispatcher.dispatch(request, new Responder(request, bodyTimeout, resolve, reject));
  });
}

class Responder implements DispatchHandler {
  readonly #resolve: (response: FcgiResponse) => void;
  readonly #reject: (error: unknown) => void;
  readonly #request: DispatchRequest;
  readonly #bodyTimeout: number;
  #response: StreamedResponse | null = null;
  #contentLength: ContentLength | null = null;

  constructor(
    request: DispatchRequest,
    bodyTimeout: number,
    resolve: (response: FcgiResponse) => void,
    reject: (error: unknown) => void,
  ) {
    this.#request = request;
    this.#bodyTimeout = bodyTimeout;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onResponseStart(
    controller: DispatchController,
    statusCode: number,
    headers: ResponseHeaders,
    statusText: string,
  ): void {
    const declared = headers['content-length'];
    if (declared !== undefined) {
      const method = paramText(this.#request.params['REQUEST_METHOD']);
      this.#contentLength = contentLength(method, statusCode, declared);
    }
    const bodyTimeout = this.#request.bodyTimeout ?? this.#bodyTimeout;
    const body = new StreamedBody(controller, bodyTimeout, String(headers['content-type'] ?? ''));
    this.#response = new StreamedResponse(controller, statusCode, statusText, headers, body);
    this.#resolve(this.#response);
  }

  onResponseData(_controller: DispatchController, chunk: Buffer): void {
    const fitting = this.#contentLength === null ? chunk : this.#contentLength.take(chunk);
    if (fitting.length > 0) this.#response?.body.accept(fitting);
  }

  onResponseEnd(controller: DispatchController, ended: Ended): void {
    const wrong = this.#contentLength?.check(ended, seenBy(controller)) ?? null;
    if (wrong === null) this.#response?.finish(ended);
    else this.#response?.fail(wrong);
  }

  onResponseError(_controller: DispatchController, error: unknown): void {
    if (this.#response === null) this.#reject(error);
    else this.#response.fail(error);
  }
}

/** What the end of a response does not say of it. Somebody else's dispatcher may have a controller of its own. */
function seenBy(controller: DispatchController): Partial<FailureFacts> {
  if (!(controller instanceof Job) || controller.exchange === null) return {};
  const { bytesReceived, bytesSent, requestsOnConnection } = controller.exchange;
  return { bytesReceived, bytesSent, requestsOnConnection, replayable: controller.replayable };
}

class StreamedResponse implements FcgiResponse {
  readonly statusCode: number;
  readonly statusText: string;
  readonly headers: ResponseHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: StreamedBody;
  /** A property of its own, as undici's response has them all: `{ ...response }` must not lose it. */
  readonly ended: Promise<Ended>;
  #resolve: (ended: Ended) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(
    controller: DispatchController,
    statusCode: number,
    statusText: string,
    headers: ResponseHeaders,
    body: StreamedBody,
  ) {
    this.statusCode = statusCode;
    this.statusText = statusText;
    this.headers = headers;
    this.rawHeaders = controller.rawHeaders;
    this.body = body;
    this.ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  finish(ended: Ended): void {
    this.body.finish();
    this.#resolve(ended);
  }

  fail(error: unknown): void {
    this.body.cutShort(error);
    // Most callers do not look at it: its rejection must not end the process.
    this.ended.catch(() => undefined);
    this.#reject(error);
  }
}
