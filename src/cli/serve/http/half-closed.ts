/**
 * A client may end its side behind its request, as `nc -N` does, and still wait for the answer. As with nginx a file is sent to
 * the end, while for a script and all else its client has left: by TCP both look the same, and scripts are dear.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { NodeResponse } from '../../../gateway/node.ts';

const toTheEnd = Symbol('sent to the end');

/** Of a response that ends soon by itself, and is seen to fail where nobody takes it. */
export function sendToTheEnd(response: NodeResponse): void {
  Object.assign(response, { [toTheEnd]: true });
}

/**
 * Node leaves the connection open for the `unfinished` responses, told to by `httpAllowHalfOpen`, and closes it behind the
 * last of them. Here it is closed before the first one that is not to be sent, as Node does by default.
 */
export function clientHasEnded(socket: Socket, unfinished: readonly ServerResponse[]): void {
  const first = unfinished.findIndex((res) => !(toTheEnd in res));
  if (first === -1) return;
  const cut = (): void => {
    for (const { req } of unfinished.slice(first)) {
      req.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }));
    }
    socket.end();
  };
  const before = unfinished[first - 1];
  if (before) before.once('close', cut);
  else cut();
}
