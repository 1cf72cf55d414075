/** What the params decide of how a request is sent, and sent again. */
import type { DispatchRequest } from '../dispatcher.ts';

export interface ParamFacts {
  /** REQUEST_METHOD. */
  readonly method: string;
  /** SCRIPT_FILENAME, or ''. */
  readonly script: string;
  /** CONTENT_TYPE; '' also where there is no body. */
  readonly contentType: string;
  /** With a body: they change php.ini for the request, or have php-fpm take its body from a file. */
  readonly changesPhp: boolean;
  /** Its settings say whether bodies are read before scripts start, and its worker keeps them for all requests that follow. */
  readonly changesBodyReading: boolean;
}

const BODY_READING = /enable_post_data_reading|post_max_size/i;

const CHANGES_PHP = ['PHP_VALUE', 'PHP_ADMIN_VALUE', 'REQUEST_BODY_FILE'];

export function paramFacts(request: DispatchRequest): ParamFacts {
  const { params, body } = request;
  const hasBody = body !== undefined && body !== null;
  // Each by its own name: V8 remembers where such a one lies, and looks up those that come by a variable.
  const { REQUEST_METHOD, SCRIPT_FILENAME, CONTENT_TYPE, PHP_VALUE, PHP_ADMIN_VALUE } = params;
  return {
    method: paramText(REQUEST_METHOD),
    script: paramText(SCRIPT_FILENAME),
    contentType: hasBody ? paramText(CONTENT_TYPE) : '',
    changesPhp: hasBody && CHANGES_PHP.some((name) => Object.hasOwn(params, name)),
    changesBodyReading: isBodyReading(PHP_VALUE) || isBodyReading(PHP_ADMIN_VALUE),
  };
}

function isBodyReading(settings: string | Uint8Array | undefined): boolean {
  return settings !== undefined && BODY_READING.test(paramText(settings));
}

export function paramText(value: string | Uint8Array | undefined): string {
  if (typeof value === 'string') return value;
  return value === undefined ? '' : Buffer.from(value).toString('latin1');
}
