/** May the socket carry another request? The one place that says so, and the words in which closed sockets are counted. */

export const CLOSE_REASONS = [
  'failed',
  'reset',
  'server-closed',
  'recycled',
  'timeout',
  'aborted',
  'protocol-error',
  'trailing-bytes',
  'unanswered',
  'examined',
  'body-unsent',
  'body-unread',
  'not-kept',
  'asked-by-script',
  'keepalive',
  'keepalive-requests',
  'keepalive-time',
  'keepalive-timeout',
  'yield',
  'fresh-needed',
  'pool-closed',
] as const;

/**
 * Why a socket was closed.
 * - `failed`, `reset`, `timeout`, `aborted`, `protocol-error`: the request on it failed so.
 * - `server-closed`: by the server, while idle. `recycled`: by the server, as a request was on its way; a worker at
 *   `pm.max_requests` does so.
 * - `unanswered`: FCGI_GET_VALUES, asked while idle, was not answered in time, or not as PHP-FPM does. `examined`:
 *   opened only to see what the server is.
 * - `trailing-bytes`: bytes behind the end of a response, or while idle. `body-unsent`: the response ended before
 *   all of the request was sent. `body-unread`: the server, which is not PHP-FPM, may have answered without having read all of a
 *   large body. `asked-by-script`: its head said `Connection: close`.
 * - `not-kept`, `keepalive`, `keepalive-requests`, `keepalive-time`, `keepalive-timeout`: the limits of those names
 *   (`not-kept`: keepalive is off, or was for this request).
 * - `yield`: given up so that its worker can take a request that waits. `fresh-needed`: in favour of a request that
 *   must have a fresh connection. `pool-closed`: by close() or destroy().
 */
export type CloseReason = (typeof CLOSE_REASONS)[number];

/** What is known when a response has ended well. */
export interface AfterExchange {
  /** FCGI_KEEP_CONN was set: else the server closes by itself. */
  readonly keepConn: boolean;
  /** All of the request was taken by the kernel. */
  readonly bodySent: boolean;
  /**
   * Some of it may lie at the server unread. PHP-FPM reads it to its end then; others, such as libfcgi, take the rest for the next
   * request, and close the connection under that.
   */
  readonly bodyUnread: boolean;
  /** No byte behind END_REQUEST, no record half read. */
  readonly atBorder: boolean;
  readonly scriptAskedClose: boolean;
  /** Requests sent on the socket. */
  readonly requests: number;
  readonly keepaliveRequests: number;
  /** It has been in use for as long as it may be. */
  readonly leaseOver: boolean;
  /** The server is to be asked what it is, on this socket: nothing but a fault must close it before that. */
  readonly isQueryDue: boolean;
  /** A request waits on a fresh socket whose turn with a worker does not come while we keep this one. */
  readonly mustYield: boolean;
  /** Nobody waits, and as many sockets are idle as may be. */
  readonly idleFull: boolean;
  readonly poolClosing: boolean;
}

/** `'keep'`, or the first reason not to. */
export function reuse(after: AfterExchange): 'keep' | CloseReason {
  if (!after.atBorder) return 'trailing-bytes';
  if (!after.bodySent) return 'body-unsent';
  if (after.poolClosing) return 'pool-closed';
  if (after.scriptAskedClose) return 'asked-by-script';
  if (after.requests >= after.keepaliveRequests) return 'keepalive-requests';
  if (!after.keepConn) return 'not-kept';
  if (after.isQueryDue) return 'keep';
  if (after.bodyUnread) return 'body-unread';
  if (after.leaseOver) return 'keepalive-time';
  if (after.mustYield) return 'yield';
  if (after.idleFull) return 'keepalive';
  return 'keep';
}

/** A counter for each reason, at 0. */
export function noneClosed(): Record<CloseReason, number> {
  const closed: Partial<Record<CloseReason, number>> = {};
  for (const reason of CLOSE_REASONS) closed[reason] = 0;
  return closed as Record<CloseReason, number>;
}
