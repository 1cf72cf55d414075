import type { HeadNames } from '../cgi/head.ts';
import type { Clock } from './clock.ts';
import type { KnownBodyReading, KnownServer } from './evidence/server.ts';
import type { Exchange } from './exchange.ts';
import type { CloseReason } from './reuse.ts';

/** Which connection, and for how long it has had its worker. Times in ms. */
export interface Held {
  readonly openedAt: number;
  /** A worker has it, since `heldSince`. */
  readonly proven: boolean;
  readonly heldSince: number;
  /** So many were sent on it. */
  readonly requests: number;
}

/** What a connection needs of the pool it belongs to. Times in ms. */
export interface ConnectionOwner {
  readonly clock: Clock;
  readonly settings: {
    /** Bytes. */
    readonly maxHeaderSize: number;
  };
  readonly headNames: HeadNames;
  readonly learned: {
    readonly keepaliveTimes: {
      /** It has been idle for so long, was opened so long ago, ms, and has carried so many requests: must it go? */
      isIdleTimeOver(idle: number, age: number, requests: number): boolean;
      /** A response is whole, which began at `begunAt`: was the connection in use for as long as it may be? */
      isLeaseOver(connection: Held, begunAt: number): boolean;
      /** A response is whole. */
      answered(exchange: Exchange, now: number): void;
    };
    /** What is known of the server that stands there: see socket/endpoint.ts. */
    backendAt(endpoint: string): KnownServer;
    readonly bodyReading: KnownBodyReading;
    /** The silence after which the empty STDIN record goes out by itself. */
    terminatorDelay(exchange: Exchange): number;
    /** The first record of a response is here. Since when a worker has the connection. */
    firstByte(exchange: Exchange, connection: Held): number;
    /** The server is to be asked what it is, on the next connection that is kept. */
    readonly isQueryDue: boolean;
    /** A response is whole: must this connection go all the same, for the sake of a request that waits? */
    mustYield(exchange: Exchange): boolean;
  };
  /** No connection is kept any more. */
  readonly closing: boolean;
  /** As many connections are idle as may be, and nobody waits for one. */
  idleFull(): boolean;
}

/** What one connection is told. */
export interface ConnectionLimits {
  readonly transport: 'unix' | 'tcp';
  /** How many requests it may carry. */
  readonly keepaliveRequests: number;
  /** Nobody is waited for without end any more. */
  readonly isPoolClosing: () => boolean;
  readonly onClosed: (reason: CloseReason) => void;
}
