/** The status page in front of the site; who may not see it gets what the site has there. */

import type { Watched } from '../../observe/status/report.ts';
import { type StatusHandler, statusHandler } from '../../observe/status.ts';
import type { Dispatcher } from '../../pool/dispatcher.ts';
import type { Handler } from './handler.ts';

export interface StatusPage {
  readonly handler: Handler;
  /** Ends the pages that are open: they would keep the server from ending. */
  close(): void;
}

/** `path`: null: there is no page. `fpmStatus`: of our own php-fpm. */
export function withStatusPage(
  site: Handler,
  dispatcher: Watched & Dispatcher,
  path: string | null,
  fpmStatus: string | undefined,
): StatusPage {
  if (path === null) return { handler: site, close: () => {} };
  const page: StatusHandler = statusHandler(dispatcher, { fpmStatus });
  const handler: Handler = (req, res) => {
    const { url = '' } = req;
    // Each request of the site comes by here: most are told apart without a copy of their address.
    if (url.startsWith(path) && url.split('?', 1)[0] === path) page(req, res, () => site(req, res));
    else site(req, res);
  };
  return { handler, close: () => page.close() };
}
