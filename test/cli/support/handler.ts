/** A handler for tests that speak HTTP/1 only. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Handler } from '../../../src/cli/serve/handler.ts';

export function http1(listener: RequestListener): Handler {
  return (req, res) => {
    listener(req as IncomingMessage, res as ServerResponse<IncomingMessage> & { req: IncomingMessage });
  };
}
