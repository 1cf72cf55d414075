/** PHP behind node:http, node:https, node:http2 (its compatibility API), connect and Express. */
import type { Dispatcher } from '../pool/dispatcher.ts';
import { Gateway } from './gateway.ts';
import { type NodeHandler, nodeHandler } from './node-answer.ts';
import type { GatewayOptions } from './options.ts';
import type { NodeRequest, NodeResponse } from './reply/node/node-response.ts';

export {
  type StatusHandler,
  type StatusOptions,
  type StatusRequest,
  type StatusResponse,
  statusHandler,
  type Watched,
} from '../observe/status.ts';
export type { EndInfo, ErrorPage, FilesOptions, ForwardedHeader, GatewayOptions } from './options.ts';
export type { NodeHandler, NodeRequest, NodeResponse };

/**
 * Makes a handler that answers with what PHP makes of a request: `http.createServer(createHandler(pool, { root }))`
 * or `app.use(createHandler(pool, { root }))`. A request is PHP's if its path leads to an existing script, to a folder
 * with one as index, or if there is a `frontController`; all else is passed to `next`. PHP source, and scripts to
 * which links lead out of the root, are answered 404 rather than passed on, where another handler might show them.
 *
 * Slow clients hold no worker: a request's body is read before PHP is asked, and a reply is taken from PHP as far as
 * `responseBuffering` goes. The script of a client that leaves is given up. What fails before PHP's head is there
 * is answered 502, 503 or 504 (400, 408, 413, 414, 431 where the client is at fault), later it breaks the response
 * off; why goes to `onError` only.
 *
 * @typeParam Req - What the hooks of the options are given: with Express its own request, say.
 * @throws ArgumentError FCGI_ERR_INVALID_ARG, naming the option.
 */
export function createHandler<Req extends NodeRequest = NodeRequest>(
  dispatcher: Dispatcher,
  options: GatewayOptions<Req>,
): NodeHandler<Req> {
  return nodeHandler(new Gateway(dispatcher, options));
}
