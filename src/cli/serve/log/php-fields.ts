/** What the JSON log says of a request that PHP had: which server, how often, how long, and what PHP complained of. */
import { type PhpMessage, phpMessages } from '../../../cgi/php-message.ts';
import { FcgiError } from '../../../errors.ts';
import type { EndInfo } from '../../../gateway/reply/outcome.ts';

/** Names and units (seconds) as nginx's variables have them where it has such. */
export interface PhpFields {
  readonly upstream_addr?: string;
  readonly attempts?: number;
  readonly reused?: boolean;
  readonly executed?: string;
  readonly upstream_queue_time?: number;
  readonly upstream_connect_time?: number;
  /** Null: there was no head. */
  readonly upstream_header_time?: number | null;
  readonly upstream_response_time?: number;
  readonly error?: string;
  readonly hint?: string;
  readonly php?: readonly PhpMessage[];
}

/** None for what PHP never had. */
export function phpFields(info: EndInfo | undefined): PhpFields {
  if (info === undefined) return {};
  const { server, attempts, reused, executed, times, error, hint, stderr } = info;
  const messages = phpMessages(stderr);
  return {
    ...(server ? { upstream_addr: server } : {}),
    attempts,
    reused,
    executed,
    ...(times
      ? {
          upstream_queue_time: seconds(times.queued),
          upstream_connect_time: seconds(times.connecting),
          upstream_header_time: times.firstByte === null ? null : seconds(times.firstByte),
          upstream_response_time: seconds(times.total),
        }
      : {}),
    ...(error === null ? {} : { error: error instanceof FcgiError ? error.code : String(error) }),
    ...(hint === '' ? {} : { hint }),
    ...(messages.length === 0 ? {} : { php: messages }),
  };
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds) / 1000;
}
