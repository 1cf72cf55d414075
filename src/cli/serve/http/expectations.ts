/** `Expect`: when a client is told to send its body, and what is expected in vain. */
import type { ServerResponse } from 'node:http';
import type { Server } from 'node:net';
import type { NodeRequest, NodeResponse } from '../../../gateway/node.ts';

/**
 * Node itself would write 100 Continue when it has read the head. Where the request before on the connection is not answered yet,
 * that is put aside, and comes out behind the head of the answer as if it were the body.
 */
export function expectations(
  server: Server,
  onRequest: (req: NodeRequest, res: NodeResponse) => void,
  refuse: (req: NodeRequest, res: NodeResponse, reason: string) => void,
): void {
  server.on('checkContinue', (req: NodeRequest, res: NodeResponse) => {
    // first, as it may be refused for what its head says: a client with 2 GB that are too many need not send them
    onRequest(req, res);
    if ('stream' in res) {
      if (!res.headersSent) res.writeContinue();
    } else if (!res.headersSent) whenItsTurn(res, () => !res.headersSent && res.writeContinue());
  });
  server.on('checkExpectation', (req: NodeRequest, res: NodeResponse) => {
    // RFC 9110, 10.1.1: a list that may be empty. Who copies curl's way to leave the header out sends it so
    if (/[^\s,]/.test(req.headers.expect ?? '')) refuse(req, res, 'nothing but 100-continue can be expected');
    else onRequest(req, res);
  });
}

/** A response has the socket when those before it are out. */
function whenItsTurn(res: ServerResponse, act: () => void): void {
  if (res.socket) act();
  else res.once('socket', act);
}
