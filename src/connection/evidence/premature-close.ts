import type { CloseReason } from '../reuse.ts';
import type { AfterFin, Sign } from './evidence.ts';

/** How an exchange came to its end before its response did. */
export interface PrematureClose {
  readonly sign: Sign;
  /** Of Node, of ours, of the caller; null for a FIN. */
  readonly error: unknown;
  readonly reason: CloseReason;
  readonly afterFin: AfterFin;
  /** ms between the request and the FIN, where it was looked behind. */
  readonly after?: number;
  /** See Evidence. Of a reset. */
  readonly sentTwice?: boolean;
}

/** From an error of Node's socket: which half of it failed, and whether the other end was the one to end it. */
export function signOf(error: NodeJS.ErrnoException): Sign {
  if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') return 'other';
  return error.syscall === 'write' ? 'write-refused' : 'reset';
}
