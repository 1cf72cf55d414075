/** What a request waited for that has taken longer than its `timeout`. */
import { ofSilence } from '../../connection/evidence/hint.ts';
import type { ConnectError, FcgiError } from '../../errors.ts';
import type { JobServer } from '../job.ts';
import { noteable } from './request-snapshot.ts';

interface Late {
  /** null: it is being read, before anything is sent. */
  readonly body: unknown;
  /** The latest that had it. */
  readonly server: Pick<JobServer, 'learned' | 'target'> | null;
}

/** Notes it on the error, where that says nothing yet. `why`: nobody can connect. */
export function noteDelay(reason: unknown, late: Late, why: ConnectError | null): void {
  const error = noteable(reason);
  if (error?.code === 'FCGI_ERR_TIMEOUT' && error.hint === '')
    error.learn({ hint: hintOf(error, late, why) });
}

function hintOf({ phase, reused }: FcgiError, { body, server }: Late, why: ConnectError | null): string {
  switch (phase) {
    case 'queued':
      if (body === null)
        return "the source of the request's body has not given what is read before it is sent";
      return (
        why?.hint ??
        'all connections are busy: see `connections`, `pm.max_children`, and what the scripts wait for'
      );
    case 'connecting':
      return (
        why?.hint ??
        'the server has not taken the connection: its host does not answer, or all workers are busy'
      );
    case 'sending':
      return "the source of the request's body is slow, or the script is slow to read it";
    case 'waiting':
      return server === null
        ? ''
        : ofSilence(reused, server.learned.backend.isPhpFpm, server.target.transport);
    default:
      return 'the answer has begun: the script is slow to go on, or its reader to take it';
  }
}
