/**
 * Is the worker of a kept connection there for another request? It says so by FCGI_GET_VALUES: one that leaves at `pm.max_requests`, or was told
 * to, closes instead. For a request of which a reset would prove nothing that is as good as a new connection whose worker was asked, and
 * costs no connect. Twice, as accepted.ts has it: told to stop while it waits, a worker answers once and closes.
 */
import type { Connection } from '../../connection/connection.ts';

/**
 * ms for an answer on a kept connection: a busy machine must not be taken for a server that says nothing. Where a script goes on behind its
 * response for longer the connection is closed, and a new one has its worker once that is over.
 */
export const ANSWER_TIMEOUT = 250;

/** The connection is idle. It is settled (see IdleState) behind both answers, and closed where they do not come. */
export function askKept(connection: Connection): void {
  const onReply = ({ values }: { readonly values: unknown }): void => {
    connection.idle.settled = values !== null;
  };
  connection.sendGetValues(ANSWER_TIMEOUT, onReply, false, 2);
}
