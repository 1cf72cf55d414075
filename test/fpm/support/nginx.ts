/** nginx in front of PHP-FPM, set up as its manual says for kept connections. */
import type { Backend, RunningServer } from './http-server.ts';
import { startServer } from './http-server.ts';

export interface NginxOptions {
  readonly fpm: Backend;
  /** More servers of the upstream. */
  readonly others?: readonly Backend[];
  /** More parameters of each `server`, in the same order; default none. */
  readonly parameters?: readonly string[];
  /** More directives of the upstream, `least_conn;`. */
  readonly balance?: string;
  /** The document root; default PHP-FPM's. */
  readonly root?: string;
  /** Idle connections kept (`keepalive` of the upstream); 0: none, and no FCGI_KEEP_CONN. Default 8. */
  readonly keepalive?: number;
  /** Processes. Default 1. */
  readonly workers?: number;
  /** The script for what is no file; default none: 404. */
  readonly frontController?: string;
  /** More directives for the PHP location. */
  readonly extra?: string;
  /** The file of its access log; default none. */
  readonly accessLog?: string;
}

/** nginx's stock `fastcgi_params`, SCRIPT_FILENAME and PATH_INFO, and none from a `Proxy` header. */
export const nginxParams: Readonly<Record<string, string>> = {
  SCRIPT_FILENAME: '$document_root$fastcgi_script_name',
  SCRIPT_NAME: '$fastcgi_script_name',
  PATH_INFO: '$fastcgi_path_info',
  QUERY_STRING: '$query_string',
  REQUEST_METHOD: '$request_method',
  CONTENT_TYPE: '$content_type',
  CONTENT_LENGTH: '$content_length',
  REQUEST_URI: '$request_uri',
  DOCUMENT_URI: '$document_uri',
  DOCUMENT_ROOT: '$document_root',
  SERVER_PROTOCOL: '$server_protocol',
  REQUEST_SCHEME: '$scheme',
  GATEWAY_INTERFACE: 'CGI/1.1',
  SERVER_SOFTWARE: 'nginx/$nginx_version',
  REMOTE_ADDR: '$remote_addr',
  REMOTE_PORT: '$remote_port',
  SERVER_ADDR: '$server_addr',
  SERVER_PORT: '$server_port',
  SERVER_NAME: '$server_name',
  REDIRECT_STATUS: '200',
  HTTP_PROXY: '""',
};

/** Where nginx keeps what it buffers: below its own folder, as it need not be root. */
export function tempPaths(folder: string): string {
  return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${folder}/${name};`)
    .join('\n');
}

export function startNginx(options: NginxOptions): Promise<RunningServer> {
  return startServer({
    program: 'nginx',
    config: (folder, port) => nginxConfig(folder, port, options),
    args: (configFile, folder) => ['-p', folder, '-c', configFile],
    ready: /start worker process /,
  });
}

function nginxConfig(folder: string, port: number, options: NginxOptions): string {
  const { fpm, root = fpm.root, keepalive = 8, frontController } = options;
  const servers = [fpm, ...(options.others ?? [])].map(({ endpoint }, i) => {
    const server = 'path' in endpoint ? `unix:${endpoint.path}` : `${endpoint.host}:${endpoint.port}`;
    return `server ${server} ${options.parameters?.[i] ?? ''};`;
  });
  return `
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes ${options.workers ?? 1};
pid ${folder}/nginx.pid;
error_log stderr notice;
events { worker_connections 2048; }
http {
${tempPaths(folder)}
  types { text/html html; text/css css; text/javascript js; image/svg+xml svg; image/png png; }
  default_type application/octet-stream;
  access_log ${options.accessLog === undefined ? 'off' : `${options.accessLog} combined`};
  client_max_body_size 100m;
  upstream php {
    ${options.balance ?? ''}
    ${servers.join('\n    ')}
    ${keepalive > 0 ? `keepalive ${keepalive};` : ''}
  }
  server {
    listen 127.0.0.1:${port} backlog=2048;
    root ${root};
    index index.php;
    location / { try_files $uri $uri/ ${frontController ?? '=404'}; }
    location ~ \\.php(/|$) {
      fastcgi_split_path_info ^(.+?\\.php)(/.*)?$;
      fastcgi_pass php;
      fastcgi_keep_conn ${keepalive > 0 ? 'on' : 'off'};
${Object.entries(nginxParams)
  .map(([name, value]) => `      fastcgi_param ${name} ${value};`)
  .join('\n')}
      ${options.extra ?? ''}
    }
  }
}
`;
}
