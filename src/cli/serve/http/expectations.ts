/** `Expect: 100-continue`: when a client is told to send its body. */
import type { ServerResponse } from 'node:http';
import type { Server } from 'node:net';
import type { NodeRequest, NodeResponse } from '../../../gateway/node.ts';

/**
 * Node itself would write 100 Continue when it has read the head. Where the request before on the connection is not answered yet,
 * that is put aside, and comes out behind the head of the answer as if it were the body.
 */
export function inviteBodies(server: Server, onRequest: (req: NodeRequest, res: NodeResponse) => void): void {
  server.on('checkContinue', (req: NodeRequest, res: NodeResponse) => {
    // first, as it may be refused for what its head says: a client with 2 GB that are too many need not send them
    onRequest(req, res);
    if ('stream' in res) {
      if (!res.headersSent) res.writeContinue();
    } else if (!res.headersSent) whenItsTurn(res, () => !res.headersSent && res.writeContinue());
  });
}

/** A response has the socket when those before it are out. */
function whenItsTurn(res: ServerResponse, act: () => void): void {
  if (res.socket) act();
  else res.once('socket', act);
}
