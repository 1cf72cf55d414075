import { maxHeaderSize } from 'node:http';

type Limit = 'requestTimeout' | 'headersTimeout' | 'keepAliveTimeout' | 'maxHeadersCount' | 'maxHeaderSize';

/** Bytes: Node's own limit of a request's head. */
const NODES_HEAD = 16_384;

/** What Node takes over HTTP/2. nginx takes 32 KiB, and cookies or a ticket of Kerberos may be that long. */
const LARGEST_HEAD = 65_536;

/**
 * Milliseconds. `idle`: that a connection is kept on which nobody asks for anything, nginx's keepalive_timeout. It must be longer than
 * what the proxy in front keeps it: who ends it first is never asked on it any more, while a form that meets the end of the other side is
 * lost, and the proxy answers 502. Node's own is 5 s.
 *
 * An upload may take longer than Node's 5 minutes for a whole request. Its head may not: with the one limit
 * Node drops the other, unless it is told. Of headers it would keep a thousand, and drop the rest in silence; their
 * bytes are limited in any case: to as many as over HTTP/2, or as Node itself has been told.
 */
export function httpLimits(idle: number): Readonly<Record<Limit, number>> {
  return {
    requestTimeout: 0,
    headersTimeout: 60_000,
    keepAliveTimeout: idle,
    maxHeadersCount: 0,
    maxHeaderSize: maxHeaderSize === NODES_HEAD ? LARGEST_HEAD : maxHeaderSize,
  };
}
