/** What listens and answers: this process alone, or workers. */
import { type Connect, connect as realConnect } from '../connect.ts';
import { settlesWithin } from '../delay.ts';
import type { Io } from '../io.ts';
import { App } from './app.ts';
import type { Middleware } from './handler.ts';
import { Listener } from './http/listener.ts';
import type { Certificate } from './http/tls.ts';
import { declineOffers } from './http/upgrades.ts';
import { cutAfter, PHP_LIMIT } from './limits.ts';
import type { AccessLog } from './log/access-log.ts';
import { refusalTeller } from './log/refused.ts';
import type { Logger } from './logger.ts';
import type { Php } from './own-fpm.ts';
import type { Prepared } from './prepare/prepare.ts';
import { isForVite, startVite, type ViteServer } from './vite.ts';

export interface Frontend {
  /** Resolves when it cannot go on. */
  readonly gaveUp: Promise<Error>;
  /** Resolves with the URLs, when all is ready. */
  start(): Promise<string[]>;
  /** Resolves with why not all requests were answered within `limit` milliseconds (0: no limit), or null. */
  drain(limit: number): Promise<string | null>;
  renew(certificate: Certificate): void;
  /** Ends everything now. */
  destroy(): void;
  /** Lets go of PHP-FPM. */
  close(): Promise<void>;
}

export interface FrontendOptions {
  readonly prepared: Prepared;
  /** Who runs the PHP of each site. */
  readonly php: readonly Php[];
  readonly io: Io;
  /** Null: the real one. */
  readonly connect: Connect | null;
  readonly logger: Logger;
  readonly log: AccessLog | null;
}

const never = new Promise<never>(() => {});

export async function singleProcess(options: FrontendOptions): Promise<Frontend> {
  const { prepared, php, io, connect, logger, log } = options;
  const { viteRoot: root } = prepared;
  let vite: ViteServer | null = null;
  const dev: Middleware = (req, res, next) => {
    if (vite && isForVite(req.url ?? '')) vite.middlewares(req, res, next);
    else next();
  };
  const middleware = root === null ? null : dev;
  const dial = connect ?? realConnect;
  const app = await App.create(prepared.sites, php, 1, dial, logger, log, middleware);
  const listener = new Listener(
    app.handler,
    prepared.certificate,
    refusalTeller(log, logger),
    prepared.command.keepaliveTimeout,
  );
  return {
    gaveUp: never,
    async start() {
      const urls = await listener.listen(prepared.addresses, prepared.command.listenMode);
      if (root !== null && listener.server) {
        const started = await startVite(root, listener.server, (text) => io.stderr.write(`${text}\n`));
        vite = started;
        declineOffers(listener.server, started.takes);
      }
      return urls;
    },
    async drain(limit) {
      app.drain();
      await vite?.close();
      const drained = await listener.drain(limit);
      if (drained) await settlesWithin(PHP_LIMIT, app.close());
      return drained ? null : cutAfter(limit);
    },
    renew: (certificate) => listener.renew(certificate),
    destroy: () => listener.destroy(),
    async close() {
      listener.destroy();
      await app.destroy();
    },
  };
}

export async function workerProcesses({
  prepared,
  php,
  io,
  logger,
  log,
}: FrontendOptions): Promise<Frontend> {
  const { command, sites, addresses, certificate } = prepared;
  const setup = {
    command,
    sites,
    php,
    addresses: addresses.map((address) => ({ tls: 'tls' in address && address.tls === true })),
    certificate,
  };
  const { Workers } = await import('../workers/workers.ts');
  const group = new Workers(setup, io, { ...logger, log: (lines) => log?.lines(lines) });
  return {
    gaveUp: group.gaveUp,
    start: () => group.start(addresses, command.listenMode),
    drain: (limit) => group.drain(limit),
    renew: (one) => group.renew(one),
    destroy: () => group.destroy(),
    async close() {
      group.destroy();
    },
  };
}
