import type { HeadNames } from '../cgi/head.ts';
import type { Clock } from './clock.ts';
import type { Exchange } from './exchange.ts';
import type { CloseReason } from './reuse.ts';

/** What a connection needs of the pool it belongs to. Times in ms. */
export interface ConnectionOwner {
  readonly clock: Clock;
  /** Bytes. */
  readonly maxHeaderSize: number;
  readonly headNames: HeadNames;
  readonly keepaliveTime: number;
  readonly keepaliveTimeout: number;
  readonly proxied: boolean;
  /** The silence after which the empty STDIN record goes out by itself. */
  readonly terminatorDelay: number;
  /** No connection is kept any more. */
  readonly closing: boolean;
  /** A response is whole: must this connection go all the same, for the sake of a request that waits? */
  mustYield(): boolean;
  /** As many connections are idle as may be, and nobody waits for one. */
  idleFull(): boolean;
  /** The first byte of a response is here. */
  onFirstByte(exchange: Exchange): void;
  onClosed(reason: CloseReason): void;
}
