/** What of a request PHP has read before its script starts: then a worker that leaves bytes unread has not run it. */

/** Bytes of a POST body that PHP reads in any case; more goes to a temporary file, and a full disk ends the reading. */
export const MOST_READ_BEFORE_SCRIPT: number = 16 * 1024;

export interface RequestShape {
  readonly method: string;
  readonly contentType: string;
  /** Of the body, bytes. */
  readonly length: number;
  /** It has params by which php.ini is changed for it (PHP_VALUE, PHP_ADMIN_VALUE), or its body comes from a file. */
  readonly changesPhp: boolean;
  /** PoolOptions.postDataReading. */
  readonly postDataReading: number;
}

/** Has PHP read all of the request before the script? */
export function isReadBeforeScript(shape: RequestShape): boolean {
  if (shape.length === 0) return true;
  if (shape.method !== 'POST' || shape.changesPhp) return false;
  if (shape.length > Math.min(shape.postDataReading, MOST_READ_BEFORE_SCRIPT)) return false;
  // Of a malformed one, or one with too many parts, PHP leaves the rest unread and starts the script all the same.
  return !shape.contentType.toLowerCase().startsWith('multipart/');
}
