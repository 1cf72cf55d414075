/** The status page in front of the site; who may not see it gets what the site has there. */

import type { StatusReport, Watched } from '../../observe/status/report.ts';
import { Watch } from '../../observe/status/watch.ts';
import { pageHandler } from '../../observe/status.ts';
import type { Dispatcher } from '../../pool/dispatcher.ts';
import type { Handler } from './handler.ts';

export interface StatusPage {
  readonly handler: Handler;
  /** Of this process alone; null: there is no page. */
  report(): StatusReport | null;
  /** Ends the pages that are open: they would keep the server from ending. */
  close(): void;
}

/** `path`: null: there is no page. `fpmStatus`: `pm.status_path`. `merge`: adds the reports of the other processes that serve the site. */
export function withStatusPage(
  site: Handler,
  dispatcher: Watched & Dispatcher,
  path: string | null,
  fpmStatus: string | undefined,
  merge: (own: StatusReport) => Promise<StatusReport>,
): StatusPage {
  if (path === null) return { handler: site, report: () => null, close: () => {} };
  const watch = new Watch(dispatcher, fpmStatus);
  const report = (): Promise<StatusReport> => merge(watch.report());
  const page = pageHandler({ report, stop: () => watch.stop() }, {});
  const handler: Handler = (req, res) => {
    const { url = '' } = req;
    // Each request of the site comes by here: most are told apart without a copy of their address.
    if (url.startsWith(path) && url.split('?', 1)[0] === path) page(req, res, () => site(req, res));
    else site(req, res);
  };
  return { handler, report: () => watch.report(), close: () => page.close() };
}
