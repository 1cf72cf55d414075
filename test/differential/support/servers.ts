/** The same site three times, each with and without a front controller. */
import { serve } from '../../cli/support/serving.ts';
import { startServer } from '../../fpm/support/http-server.ts';
import { type Fpm, type RunningServer, startFpm } from '../../fpm/support/index.ts';
import { apacheConfig } from './apache-config.ts';
import type { SiteName } from './case.ts';
import { nginxConfig } from './nginx-config.ts';
import { buildSite } from './site.ts';

export type ServerName = 'nginx' | 'apache' | 'ours';

export interface Place {
  readonly host: string;
  readonly port: number;
}

export interface Servers {
  /** The document root of all. */
  readonly root: string;
  place(server: ServerName, site: SiteName): Place;
  stop(): Promise<void>;
}

/** Requests that a server has to answer at one time; no more are sent to each. */
export const LANES = 4;

export async function startServers(): Promise<Servers> {
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.reverse()) await end();
  };
  try {
    const fpm = await startFpm({
      // each of our kept connections has a worker of its own, on both sites
      maxChildren: 6 * LANES,
      phpIni: {
        expose_php: true,
        display_errors: false,
        log_errors: true,
        upload_max_filesize: '64M',
        post_max_size: '64M',
        'date.timezone': 'UTC',
      },
    });
    stops.push(() => fpm.stop());
    buildSite(fpm);
    const places = new Map<string, Place>();
    for (const site of ['plain', 'app'] as const) {
      const [nginx, apache, ours] = await Promise.all([
        startNginx(fpm, site),
        startApache(fpm, site),
        serve(fpm.root, [
          ...['--quiet', '--upstream', fpm.address, '--connections', String(LANES)],
          ...(site === 'app' ? ['--front-controller', '/index.php'] : []),
        ]),
      ]);
      stops.push(
        () => nginx.stop(),
        () => apache.stop(),
        () => ours.stop(),
      );
      places.set(`nginx ${site}`, nginx.endpoint);
      places.set(`apache ${site}`, apache.endpoint);
      places.set(`ours ${site}`, { host: '127.0.0.1', port: Number(new URL(ours.url).port) });
    }
    return {
      root: fpm.root,
      place(server, site) {
        const place = places.get(`${server} ${site}`);
        if (place === undefined) throw new Error(`no ${server} serves ${site}`);
        return place;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startNginx(fpm: Fpm, site: SiteName): Promise<RunningServer> {
  return startServer({
    program: 'nginx',
    config: (folder, port) => nginxConfig(folder, port, fpm, site),
    args: (configFile, folder) => ['-p', folder, '-c', configFile],
    ready: /start worker process /,
  });
}

function startApache(fpm: Fpm, site: SiteName): Promise<RunningServer> {
  return startServer({
    program: 'apache2',
    config: (folder, port) => apacheConfig(folder, port, fpm, site),
    args: (configFile) => ['-f', configFile, '-DFOREGROUND'],
    ready: /resuming normal operations/,
  });
}
