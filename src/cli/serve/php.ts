/** The part of the site that PHP answers: a gateway, and what it and PHP complain about on stderr. */
import type { IncomingMessage } from 'node:http';
import { createHandler } from '../../gateway/node.ts';
import type { Dispatcher } from '../../pool/dispatcher.ts';
import type { ServeCommand } from '../args/serve.ts';
import type { Io } from '../io.ts';
import { StderrLines } from '../stderr-lines.ts';
import { printable, reasonOf } from '../text.ts';
import { answer, type Handler } from './site.ts';

/** `root` is DOCROOT as an absolute path. */
export function phpHandler(dispatcher: Dispatcher, root: string, command: ServeCommand, io: Io): Handler {
  const { index, frontController, fpmRoot, maxBody, allowSymlinksTo, trustedProxies, params } = command;
  const stderr = new Map<object, StderrLines>();
  const gateway = createHandler(dispatcher, {
    root,
    ...(index.endsWith('.php') ? { index } : { index: [] }),
    ...(frontController === null ? {} : { frontController }),
    ...(fpmRoot === null ? {} : { fpmRoot }),
    ...(maxBody === null ? {} : { maxBodySize: maxBody }),
    allowSymlinksTo,
    trustedProxies,
    // nobody stands guard in front: as with nginx, the resolved path counts
    ambiguousPaths: 'allow',
    params: Object.fromEntries(params),
    onError: (error, req) => {
      io.stderr.write(`fastcgi-pool: ${printable(`${req.method} ${req.url}`)}: ${reasonOf(error)}\n`);
    },
    onStderr: (chunk, req) => {
      const lines = stderr.get(req) ?? new StderrLines(io.stderr);
      stderr.set(req, lines);
      lines.write(chunk);
    },
  });
  return (req: IncomingMessage, res) => {
    res.once('close', () => {
      stderr.get(req)?.flush();
      stderr.delete(req);
    });
    gateway(req, res, (error) => answer(res, error === undefined ? 404 : 500));
  };
}
