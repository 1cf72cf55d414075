/** What answers for one site: PHP and its files, by the library's own handler; errors of the gateway and of PHP go to the log. */
import { defaultFpmPages } from '../../cgi/env.ts';
import { ArgumentError } from '../../errors.ts';
import { Gateway } from '../../gateway/gateway.ts';
import type { GatewayOptions, NodeRequest, NodeResponse } from '../../gateway/node.ts';
import { answerNodeRequest } from '../../gateway/node-answer.ts';
import { whenOver } from '../../gateway/reply/node/node-response.ts';
import type { EndInfo } from '../../gateway/reply/outcome.ts';
import { requestLine } from '../../gateway/site/request-line.ts';
import type { Plan } from '../../gateway/site/site.ts';
import type { Dispatcher } from '../../pool/dispatcher.ts';
import type { SiteCommand } from '../args/site.ts';
import { type PhpUser, PrivateFiles } from '../fpm/private-files.ts';
import { printable, reasonOf } from '../text.ts';
import { sendToTheEnd } from './http/half-closed.ts';
import { RequestStderr } from './log/request-stderr.ts';

export type Handler = (req: NodeRequest, res: NodeResponse) => void;

/** A site whose folders are there. */
export interface Site {
  readonly command: SiteCommand;
  /** Absolute. */
  readonly root: string;
  readonly linked: readonly string[];
}

interface SiteHooks {
  /** Logs one line about an error of the gateway. */
  readonly say: (line: string) => void;
  /** STDERR of a request. */
  readonly php: (request: string, text: string) => void;
  /** How a request that PHP had has ended. */
  readonly ended: ((info: EndInfo, req: object) => void) | null;
}

/** So many links out of the document root are reported, each once: more than a site has. */
const MOST_LINKS = 1000;

const notSent: Plan = {
  kind: 'answer',
  statusCode: 403,
  reason: new Error('not sent: it is for its owner alone, and PHP runs as another user'),
};

/** Is asked for what is no script, before the front controller. */
export type Middleware = (req: NodeRequest, res: NodeResponse, next: () => void) => void;

export function siteHandler(
  dispatcher: Dispatcher,
  { command, root, linked }: Site,
  hooks: SiteHooks,
  middleware: Middleware | null = null,
  phpUser: PhpUser | null = null,
): Handler {
  const { index, frontController, fpmRoot, fpmStatus, maxBody, trustedProxies, params } = command;
  const { responseBuffering, maxTempFileSize } = command;
  // weak: a script may write when its client has long gone, and nothing comes behind that
  const stderr = new WeakMap<object, RequestStderr>();
  const reportedLinks = new Set<string>();
  const options: GatewayOptions<NodeRequest> = {
    root,
    index: [...new Set([index, 'index.html'])],
    ...(fpmRoot === null ? {} : { fpmRoot }),
    ...(maxBody === null ? {} : { maxBodySize: maxBody }),
    resolveRootSymlink: command.resolveRootSymlink,
    allowSymlinksTo: linked,
    trustedProxies,
    ...(responseBuffering === null ? {} : { responseBuffering }),
    ...(maxTempFileSize === null ? {} : { maxTempFileSize }),
    onClientAbort: command.onClientAbort,
    // nobody stands guard in front: as with nginx, the resolved path counts
    ambiguousPaths: 'allow',
    params: Object.fromEntries(params),
    allowControlParams: command.allowControlParams,
    ...(fpmStatus === null ? {} : { fpmPages: [...defaultFpmPages, fpmStatus] }),
    onError: (error, req) => {
      const link = linkIn(error);
      if (link === null) hooks.say(`${requestName(req)}: ${reasonOf(error)}`);
      else if (!reportedLinks.has(link) && reportedLinks.size < MOST_LINKS) {
        reportedLinks.add(link);
        hooks.say(printable(link));
      }
    },
    ...(hooks.ended ? { onEnd: hooks.ended } : {}),
    onStderr: (chunk, req) => {
      const pieces = stderr.get(req) ?? new RequestStderr((text) => hooks.php(requestName(req), text));
      stderr.set(req, pieces);
      pieces.write(chunk);
    },
  };
  const sending = {
    ...options,
    files: {
      allow: command.allowFiles,
      ...(command.cacheControl === null ? {} : { cacheControl: command.cacheControl }),
    },
    ...(frontController === null ? {} : { frontController }),
  };
  const whole = new Gateway(dispatcher, sending);
  const hidden = phpUser === null ? null : new PrivateFiles(phpUser, root, linked);
  const answer = (gateway: Gateway<NodeRequest>, given: Plan, req: NodeRequest, res: NodeResponse): void => {
    const plan = given.kind === 'file' && hidden?.has(given.file) ? notSent : given;
    // nothing but a script complains, and a listener for each file would be dear
    if (plan.kind === 'run') {
      whenOver(res, () => stderr.get(req)?.end());
    } else if (plan.kind === 'file') sendToTheEnd(res);
    answerNodeRequest(gateway, plan, req, { request: req, response: res });
  };
  // nobody else in this process changes files
  const isDirect = middleware === null;
  const all: Handler = (req, res) => answer(whole, whole.plan(requestLine(req), isDirect), req, res);
  if (middleware === null) return all;
  const scripts = new Gateway(dispatcher, options);
  return (req, res) => {
    const plan = scripts.plan(requestLine(req));
    if (plan.kind === 'pass') middleware(req, res, () => all(req, res));
    else answer(scripts, plan, req, res);
  };
}

/** `GET /a.php?b`. */
function requestName(req: NodeRequest): string {
  return printable(`${req.method} ${req.url}`);
}

/** What is said of a link that leads out, in the words of this command; null: it is another error. */
function linkIn(error: unknown): string | null {
  if (!(error instanceof ArgumentError) || error.option !== 'allowSymlinksTo') return null;
  return error.message
    .replace(/^N/, 'n')
    .replace('out of the root', 'out of DOCROOT')
    .replace('see allowSymlinksTo', '--allow-symlinks-to');
}
