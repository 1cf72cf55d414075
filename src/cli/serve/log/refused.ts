/** What is told of requests that the server refuses by itself, as they are none that a site could be asked for. */
import type { Refusal } from '../http/refusals.ts';
import type { Logger } from '../logger.ts';
import type { AccessLog } from './access-log.ts';

/** A proxy that speaks so does it on each connection, and all are refused: it is said once. */
const aboutProxies =
  'a proxy in front speaks the PROXY protocol, which nobody understands here: turn it off there (HAProxy: send-proxy, nginx: proxy_protocol); who the client is, --trusted-proxy takes from X-Forwarded-For';

export function refusalTeller(log: AccessLog | null, logger: Logger): (refusal: Refusal) => void {
  let isTold = false;
  return (refusal) => {
    log?.refused(refusal);
    if (!refusal.isProxyProtocol || isTold) return;
    isTold = true;
    logger.say(aboutProxies);
  };
}
