/** HAProxy in front of PHP-FPM: as a FastCGI gateway, or as a plain TCP proxy that PHP-FPM's client cannot see. */
import type { Backend, Endpoint, RunningServer } from './http-server.ts';
import { startServer } from './http-server.ts';

export interface HaproxyOptions {
  /** 'fcgi': HTTP in, FastCGI out. 'tcp': bytes in, the same bytes out. */
  readonly mode: 'fcgi' | 'tcp';
  readonly fpm: Backend;
  /** More servers, asked in turn; a connect that one refuses goes to the next. */
  readonly others?: readonly Backend[];
  /** More directives of the backend, `balance leastconn`. */
  readonly backend?: string;
  /** More parameters of each `server`, in the same order, `check weight 3`; default none. */
  readonly parameters?: readonly string[];
  /** More sections. */
  readonly sections?: string;
  /** The document root; default PHP-FPM's. */
  readonly root?: string;
  /** mode 'fcgi': idle connections kept (`pool-max-conn`); 0: none. Default 8. */
  readonly keepalive?: number;
  /** Connections to PHP-FPM at most (`maxconn` of the server); default none. */
  readonly maxConnections?: number;
}

export function startHaproxy(options: HaproxyOptions): Promise<RunningServer> {
  return startServer({
    program: 'haproxy',
    config: (_, port) => haproxyConfig(port, options),
    args: (configFile) => ['-db', '-f', configFile],
  });
}

function haproxyConfig(port: number, options: HaproxyOptions): string {
  const { fpm, root = fpm.root, keepalive = 8, maxConnections } = options;
  const several = options.others !== undefined;
  const servers = [fpm, ...(options.others ?? [])].map(({ endpoint }, i) =>
    [
      `  server fpm${i} ${addressOf(endpoint)}`,
      ...(options.mode === 'fcgi' ? [`proto fcgi pool-max-conn ${keepalive}`] : []),
      ...(maxConnections === undefined ? [] : [`maxconn ${maxConnections}`]),
      ...(options.parameters?.[i] === undefined ? [] : [options.parameters[i]]),
    ].join(' '),
  );
  const redispatch = '  option redispatch 1\n  retries 3';
  const common = `
global
  maxconn 4000
  stats timeout 1s
defaults
  timeout connect 5s
  timeout client 60s
  timeout server 60s
`;
  if (options.mode === 'tcp') {
    return `${common}
${options.sections ?? ''}
listen fpm
  mode tcp
  balance roundrobin
${redispatch}
${options.backend ?? ''}
  bind 127.0.0.1:${port}
${servers.join('\n')}
`;
  }
  return `${common}
${options.sections ?? ''}
fcgi-app php
  docroot ${root}
  index index.php
  path-info ^(/.+\\.php)(/.*)?$
  ${keepalive > 0 ? 'option keep-conn' : 'no option keep-conn'}
frontend http
  mode http
  bind 127.0.0.1:${port}
  default_backend php
backend php
  mode http
  use-fcgi-app php
  http-reuse ${keepalive > 0 ? 'always' : 'never'}
${several ? redispatch : ''}
${options.backend ?? ''}
${servers.join('\n')}
`;
}

function addressOf(endpoint: Endpoint): string {
  return 'path' in endpoint ? `unix@${endpoint.path}` : `${endpoint.host}:${endpoint.port}`;
}
