/**
 * All sites in one process: their pools, and the handler that finds the site of a request.
 * This folder: the parts of `serve`: its sites, their PHP, its processes.
 */
import type { StatusReport } from '../../observe/status/report.ts';
import type { Dispatcher } from '../../pool/dispatcher.ts';
import type { SiteCommand } from '../args/site.ts';
import type { Connect, ConnectOptions } from '../connect.ts';
import { postDataReadingBy } from '../fpm/ini.ts';
import { compressed } from './compressed.ts';
import { connectionsPerWorker } from './connections-per-worker.ts';
import { type Handler, type Middleware, type Site, siteHandler } from './handler.ts';
import { askedHost, Hosts } from './hosts.ts';
import type { AccessLog } from './log/access-log.ts';
import type { Logger } from './logger.ts';
import type { Php } from './own-fpm.ts';
import { type StatusPage, withStatusPage } from './status-page.ts';

const NOBODY: Php = { kind: 'upstream', servers: [], statusPath: null, user: null };

/** Other processes that serve the same sites. */
export interface Siblings {
  /** The status of a site in all of them; `own`: in this one. */
  merge(site: number, own: StatusReport): Promise<StatusReport>;
}

const NO_SIBLINGS: Siblings = { merge: async (_, own) => own };

export class App {
  readonly handler: Handler;
  readonly #dispatchers: readonly Dispatcher[];
  readonly #pages: readonly StatusPage[];

  private constructor(handler: Handler, dispatchers: readonly Dispatcher[], pages: readonly StatusPage[]) {
    this.handler = handler;
    this.#dispatchers = dispatchers;
    this.#pages = pages;
  }

  /** `php`: who runs that of each site; `workers`: how many processes share it. */
  static async create(
    sites: readonly Site[],
    php: readonly Php[],
    workers: number,
    connect: Connect,
    logger: Logger,
    log: AccessLog | null,
    middleware: Middleware | null = null,
    siblings: Siblings = NO_SIBLINGS,
  ): Promise<App> {
    const ended = log?.ended ?? null;
    const dispatchers: Dispatcher[] = [];
    const handlers: Handler[] = [];
    const pages: StatusPage[] = [];
    for (const [nth, site] of sites.entries()) {
      const { compress, status, trustedProxies } = site.command;
      const { servers, kind, statusPath, user } = php[nth] ?? NOBODY;
      const dispatcher = connect(servers, connectOptions(site.command, kind, workers));
      dispatchers.push(dispatcher);
      const hooks = {
        say: logger.say,
        php: (request: string, text: string): void => logger.php(request, text, kind === 'php-fpm'),
        ended,
      };
      const plain = siteHandler(dispatcher, site, hooks, middleware, user);
      const handler = compress ? await compressed(plain) : plain;
      const logged = log ? log.around(handler, trustedProxies) : handler;
      const page = withStatusPage(logged, dispatcher, status, statusPath ?? undefined, (own) =>
        siblings.merge(nth, own),
      );
      pages.push(page);
      handlers.push(page.handler);
    }
    return new App(byHost(sites, handlers), dispatchers, pages);
  }

  /** No more than the requests that run is waited for: a status page that is open would go on for ever. */
  drain(): void {
    for (const page of this.#pages) page.close();
  }

  /** What this process says of a site; null: it has no status page. */
  report(site: number): StatusReport | null {
    return this.#pages[site]?.report() ?? null;
  }

  async close(): Promise<void> {
    await Promise.all(this.#dispatchers.map((one) => one.close()));
  }

  async destroy(): Promise<void> {
    await Promise.all(this.#dispatchers.map((one) => one.destroy()));
  }
}

function byHost(sites: readonly Site[], handlers: readonly Handler[]): Handler {
  const [first = (): void => {}] = handlers;
  if (handlers.length < 2) return first;
  const hosts = new Hosts(sites.map(({ command }) => command));
  return (req, res) => {
    const said = req.headers[':authority'] ?? req.headers.host;
    const host = askedHost(req.url ?? '', typeof said === 'string' ? said : undefined);
    (handlers[hosts.find(host)] ?? first)(req, res);
  };
}

function connectOptions(command: SiteCommand, kind: Php['kind'], workers: number): ConnectOptions {
  const { timeouts, proxied, backend } = command;
  const connections = connectionsPerWorker(command.connections, workers);
  const postDataReading = command.postDataReading ?? postDataReadingBy(command.ini);
  return {
    connections,
    // a child of php-cgi that has served its number closes what it kept
    ...(kind === 'php-cgi' ? { keepalive: 0 } : {}),
    ...timeouts,
    ...(proxied ? { proxied } : {}),
    ...(backend ? { backend } : {}),
    ...(postDataReading === null ? {} : { postDataReading }),
  };
}
