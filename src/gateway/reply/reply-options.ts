/** What replies are told by their gateway. */
import type { MediaTypes } from '../site/static/media-types.ts';
import type { HandedOver, Handover } from './handover.ts';
import type { HeaderKinds, OwnAnswer } from './head.ts';
import type { EndInfo } from './outcome.ts';
import type { BufferSpace } from './waiting/buffer.ts';
import type { TempFileLimits } from './waiting/temp-file.ts';

/** The same for all replies. */
export interface ReplyOptions {
  readonly kinds: HeaderKinds;
  /** Bytes to take from PHP before the client has taken them. */
  readonly buffering: number;
  readonly space: BufferSpace;
  /** Files for what is more than that; null: none, PHP waits. */
  readonly tempFile: TempFileLimits | null;
  /** Milliseconds; 0: no limit. */
  readonly sendTimeout: number;
  /** True: PHP goes on where its client has left. */
  readonly outlivesClient: boolean;
  /** The file that PHP hands over; null: none. */
  readonly handedOver: ((handover: Handover) => HandedOver | null) | null;
  /** Loaded where files are handed over. */
  readonly mediaTypes: MediaTypes;
  /** A page of `errorPage` takes the place of PHP's own. */
  readonly intercepts: boolean;
}

/** Of one request. */
export interface ReplyHooks {
  /** Told why a reply is not what PHP meant it to be, and what its client is answered. */
  report(error: unknown, statusCode: number): void;
  /** False: `ended` need not be called. */
  readonly hearsEnd: boolean;
  /** Told once, when PHP has ended. */
  ended(info: EndInfo): void;
  /** In place of the gateway's own page; null: there is none. */
  errorPage(statusCode: number, error: unknown): OwnAnswer | null;
}
