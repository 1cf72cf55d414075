/** What answers: PHP and the files of the site, by the library's own handler; what it and PHP complain of is on stderr. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ArgumentError } from '../../errors.ts';
import { createHandler } from '../../gateway/node.ts';
import type { Dispatcher } from '../../pool/dispatcher.ts';
import type { ServeCommand } from '../args/serve.ts';
import type { Io } from '../io.ts';
import { StderrLines } from '../stderr-lines.ts';
import { printable, reasonOf } from '../text.ts';

export type Handler = (req: IncomingMessage, res: ServerResponse) => void;

/** Links of which has been told: more than a site has. */
const MOST_LINKS = 1000;

/** `root` and `allowSymlinksTo` are absolute paths. */
export function siteHandler(
  dispatcher: Dispatcher,
  root: string,
  allowSymlinksTo: readonly string[],
  command: ServeCommand,
  io: Io,
): Handler {
  const { index, frontController, fpmRoot, maxBody, trustedProxies, params } = command;
  const stderr = new Map<object, StderrLines>();
  const toldLinks = new Set<string>();
  const say = (line: string): void => {
    io.stderr.write(`fastcgi-pool: ${line}\n`);
  };
  const gateway = createHandler(dispatcher, {
    root,
    files: true,
    index: [...new Set([index, 'index.html'])],
    ...(frontController === null ? {} : { frontController }),
    ...(fpmRoot === null ? {} : { fpmRoot }),
    ...(maxBody === null ? {} : { maxBodySize: maxBody }),
    allowSymlinksTo,
    trustedProxies,
    // nobody stands guard in front: as with nginx, the resolved path counts
    ambiguousPaths: 'allow',
    params: Object.fromEntries(params),
    allowControlParams: command.allowControlParams,
    onError: (error, req) => {
      const link = linkIn(error);
      if (link === null) say(`${printable(`${req.method} ${req.url}`)}: ${reasonOf(error)}`);
      else if (!toldLinks.has(link) && toldLinks.size < MOST_LINKS) {
        toldLinks.add(link);
        say(printable(link));
      }
    },
    onStderr: (chunk, req) => {
      const lines = stderr.get(req) ?? new StderrLines(io.stderr);
      stderr.set(req, lines);
      lines.write(chunk);
    },
  });
  return (req, res) => {
    gateway(req, res);
    res.once('close', () => {
      stderr.get(req)?.flush();
      stderr.delete(req);
    });
  };
}

/** What is said of a link that leads out, in the words of this command; null: it is another error. */
function linkIn(error: unknown): string | null {
  if (!(error instanceof ArgumentError) || error.option !== 'allowSymlinksTo') return null;
  return error.message
    .replace(/^N/, 'n')
    .replace('out of the root', 'out of DOCROOT')
    .replace('see allowSymlinksTo', '--allow-symlinks-to');
}
