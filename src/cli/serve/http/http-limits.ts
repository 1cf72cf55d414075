/**
 * Milliseconds that a connection is kept on which nobody asks for anything: nginx's keepalive_timeout. It must be longer than
 * what the proxy in front keeps it (60 s with nginx and most load balancers): who ends it first is never asked on it any
 * more, while a form that meets the end of the other side is lost, and the proxy answers 502. Node's own is 5 s.
 */
export const IDLE_LIMIT = 75_000;

type Limit = 'requestTimeout' | 'headersTimeout' | 'keepAliveTimeout' | 'maxHeadersCount';

/**
 * Milliseconds. An upload may take longer than Node's 5 minutes for a whole request. Its head may not: with the one limit
 * Node drops the other, unless it is told. Of headers it would keep a thousand, and drop the rest in silence; their
 * bytes are limited in any case.
 */
export const httpLimits: Readonly<Record<Limit, number>> = {
  requestTimeout: 0,
  headersTimeout: 60_000,
  keepAliveTimeout: IDLE_LIMIT,
  maxHeadersCount: 0,
};
