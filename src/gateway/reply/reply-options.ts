/** What one reply is told by its gateway. */
import type { BufferSpace } from './buffer.ts';
import type { HandedOver, Handover } from './handover.ts';
import type { HeaderKinds, OwnAnswer } from './head.ts';
import type { EndInfo } from './outcome.ts';

export interface ReplyOptions {
  readonly method: string;
  readonly kinds: HeaderKinds;
  /** Told why a reply is not what PHP meant it to be, and what its client is answered. */
  readonly report: (error: unknown, statusCode: number) => void;
  /** Told once, when PHP has ended. */
  readonly ended: ((info: EndInfo) => void) | null;
  /** Bytes to take from PHP before the client has taken them. */
  readonly buffering: number;
  readonly space: BufferSpace;
  /** Milliseconds; 0: no limit. */
  readonly sendTimeout: number;
  /** True: PHP goes on where its client has left. */
  readonly outlivesClient: boolean;
  /** The file that PHP hands over; null: none. */
  readonly handedOver: ((handover: Handover) => HandedOver | null) | null;
  /** In place of the gateway's own page, and of PHP's where `intercepts` says so. */
  readonly errorPage: ((statusCode: number, error: unknown) => OwnAnswer | null) | null;
  readonly intercepts: boolean;
}
