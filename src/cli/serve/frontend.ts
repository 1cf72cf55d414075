/** What listens and answers: this process alone, or workers. */
import { type Connect, connect as realConnect } from '../connect.ts';
import { atMost } from '../delay.ts';
import type { Io } from '../io.ts';
import { App } from './app.ts';
import type { Middleware } from './handler.ts';
import { Listener } from './http/listener.ts';
import type { Certificate } from './http/tls.ts';
import { PHP_LIMIT } from './limits.ts';
import type { AccessLog } from './log/access-log.ts';
import type { Told } from './logger.ts';
import type { Php } from './own-fpm.ts';
import type { Prepared } from './prepare/prepare.ts';
import { isForVite, startVite, type ViteServer } from './vite.ts';

export interface Front {
  /** Resolves when it cannot go on. */
  readonly gaveUp: Promise<Error>;
  /** Resolves with the URLs, when all is ready. */
  start(): Promise<string[]>;
  /** Resolves with whether all requests were answered within `limit` milliseconds (0: no limit). */
  drain(limit: number): Promise<boolean>;
  renew(certificate: Certificate): void;
  /** Ends everything now. */
  cut(): void;
  /** Lets go of PHP-FPM. */
  close(): Promise<void>;
}

export interface FrontOptions {
  readonly prepared: Prepared;
  /** Who runs the PHP of each site. */
  readonly php: readonly Php[];
  readonly io: Io;
  /** Null: the real one. */
  readonly connect: Connect | null;
  readonly told: Told;
  readonly log: AccessLog | null;
}

const never = new Promise<never>(() => {});

export async function single(options: FrontOptions): Promise<Front> {
  const { prepared, php, io, connect, told, log } = options;
  const { viteRoot: root } = prepared;
  let vite: ViteServer | null = null;
  const dev: Middleware = (req, res, next) => {
    if (vite && isForVite(req.url ?? '')) vite.middlewares(req, res, next);
    else next();
  };
  const middleware = root === null ? null : dev;
  const dial = connect ?? realConnect;
  const app = await App.create(prepared.sites, php, 1, dial, told, log, middleware);
  const listener = new Listener(app.handler, prepared.certificate);
  return {
    gaveUp: never,
    async start() {
      const urls = await listener.listen(prepared.places, prepared.command.listenMode);
      if (root !== null && listener.server) {
        vite = await startVite(root, listener.server, (text) => io.stderr.write(`${text}\n`));
      }
      return urls;
    },
    async drain(limit) {
      app.drain();
      await vite?.close();
      const drained = await listener.drain(limit);
      if (drained) await atMost(PHP_LIMIT, app.close());
      return drained;
    },
    renew: (certificate) => listener.renew(certificate),
    cut: () => listener.cut(),
    async close() {
      listener.cut();
      await app.destroy();
    },
  };
}

export async function workers({ prepared, php, io, told, log }: FrontOptions): Promise<Front> {
  const { command, sites, places, certificate } = prepared;
  const setup = {
    command,
    sites,
    php,
    places: places.map((place) => ({ tls: 'tls' in place && place.tls === true })),
    certificate,
  };
  const { Workers } = await import('../workers/workers.ts');
  const group = new Workers(setup, io, { ...told, log: (lines) => log?.lines(lines) });
  return {
    gaveUp: group.gaveUp,
    start: () => group.start(places, command.listenMode),
    drain: (limit) => group.drain(limit),
    renew: (one) => group.renew(one),
    cut: () => group.cut(),
    async close() {
      group.cut();
    },
  };
}
