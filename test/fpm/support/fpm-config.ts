/** What a private PHP-FPM is started with, and the configuration file this makes. */
import { join } from 'node:path';

export interface FpmOptions {
  /** Default 'unix'. */
  readonly transport?: 'unix' | 'tcp';
  /** Where it listens; tcp only; default '127.0.0.1'. */
  readonly host?: string;
  /** tcp only; default one that is free. */
  readonly port?: number;
  /** pm; default 'static'. */
  readonly pm?: 'static' | 'dynamic' | 'ondemand';
  /** pm.max_children; default 2. */
  readonly maxChildren?: number;
  /** pm.max_requests; default 0: a worker lives for ever. */
  readonly maxRequests?: number;
  /** request_terminate_timeout in seconds; default 0: none. */
  readonly requestTerminateTimeout?: number;
  /** process_control_timeout in seconds; default 0: a reload kills busy workers. */
  readonly processControlTimeout?: number;
  /** listen.backlog; default PHP-FPM's (511). */
  readonly listenBacklog?: number;
  /** listen.allowed_clients; tcp only. */
  readonly allowedClients?: readonly string[];
  /** catch_workers_output; default false. */
  readonly catchWorkersOutput?: boolean;
  /** Settings of php.ini, as -d gives them. */
  readonly phpIni?: Readonly<Record<string, string | number | boolean>>;
  /** pm.status_path; default '/status'. */
  readonly statusPath?: string;
  /** ping.path; default '/ping'. */
  readonly pingPath?: string;
  /** Scripts to write before it starts: name below the root -> PHP source. */
  readonly files?: Readonly<Record<string, string>>;
  /** More lines for the [www] section. */
  readonly extra?: string;
}

/** `listen` is a socket's path or host:port. */
export function fpmConfig(folder: string, listen: string, options: FpmOptions): string {
  const { pm = 'static', maxChildren = 2 } = options;
  const lines = [
    '[global]',
    `pid = ${join(folder, 'fpm.pid')}`,
    `error_log = ${join(folder, 'error.log')}`,
    'daemonize = no',
    `process_control_timeout = ${options.processControlTimeout ?? 0}`,
    '[www]',
    `listen = ${listen}`,
    `pm = ${pm}`,
    `pm.max_children = ${maxChildren}`,
    `pm.max_requests = ${options.maxRequests ?? 0}`,
    `pm.status_path = ${options.statusPath ?? '/status'}`,
    `ping.path = ${options.pingPath ?? '/ping'}`,
    `request_terminate_timeout = ${options.requestTerminateTimeout ?? 0}`,
    `catch_workers_output = ${options.catchWorkersOutput === true ? 'yes' : 'no'}`,
    'security.limit_extensions = .php',
  ];
  if (pm === 'dynamic') {
    lines.push('pm.start_servers = 1', 'pm.min_spare_servers = 1', `pm.max_spare_servers = ${maxChildren}`);
  }
  // Without a user PHP-FPM refuses to start as root; as anybody else it may not set one.
  if (process.getuid?.() === 0) lines.push('user = root', 'group = root', 'listen.mode = 0666');
  if (options.listenBacklog !== undefined) lines.push(`listen.backlog = ${options.listenBacklog}`);
  if (options.allowedClients !== undefined) {
    lines.push(`listen.allowed_clients = ${options.allowedClients.join(',')}`);
  }
  if (options.extra !== undefined) lines.push(options.extra);
  return `${lines.join('\n')}\n`;
}

export function fpmArguments(folder: string, options: FpmOptions): string[] {
  // -O: the log comes to us over stderr, so being ready is an event; -R: root is allowed, as in a container.
  const args = ['-F', '-O', '-R', '-y', join(folder, 'fpm.conf'), '-p', folder];
  for (const [name, value] of Object.entries(options.phpIni ?? {})) {
    args.push('-d', `${name}=${typeof value === 'boolean' ? Number(value) : value}`);
  }
  return args;
}
