/**
 * nginx as its manual and its stock fastcgi_params have it, for a PHP application: what does not exist never reaches
 * PHP-FPM, dotfiles and PHP source are not there, heads may be as large as with us.
 */
import { type Backend, nginxParams, tempPaths } from '../../fpm/support/index.ts';
import type { SiteName } from './case.ts';

const params = {
  ...nginxParams,
  PATH_INFO: '$path_info',
  PATH_TRANSLATED: '$document_root$path_info',
  HTTPS: '$https if_not_empty',
  SERVER_NAME: '$host',
};

export function nginxConfig(folder: string, port: number, fpm: Backend, site: SiteName): string {
  const { endpoint } = fpm;
  const backend = 'path' in endpoint ? `unix:${endpoint.path}` : `${endpoint.host}:${endpoint.port}`;
  return `
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr notice;
events { worker_connections 256; }
http {
${tempPaths(folder)}
  types {
    text/html html; text/css css; text/javascript js; text/plain txt; application/json json;
    image/svg+xml svg; image/png png; application/pdf pdf;
  }
  default_type application/octet-stream;
  charset_types text/html text/css text/javascript text/plain application/json;
  access_log off;
  client_max_body_size 128m;
  large_client_header_buffers 4 16k;
  server {
    listen 127.0.0.1:${port};
    server_name 127.0.0.1;
    # else it holds a connection whose request it has refused for 5 s
    lingering_timeout 200ms;
    root ${fpm.root};
    index index.php index.html;
    absolute_redirect off;
    # PATH_INFO is the script's affair
    location ~ ^(?:(?!\\.php/).)*/\\.(?!well-known/) { return 404; }
    location ~* \\.(?:inc|phar|phps|phtml|php[0-9])$ { return 404; }
    location / {
      charset utf-8;
      try_files $uri $uri/ ${site === 'app' ? '/index.php$is_args$args' : '=404'};
    }
    location ~ [^/]\\.php(/|$) {
      fastcgi_split_path_info ^(.+?\\.php)(/.*)$;
      set $path_info $fastcgi_path_info;
      try_files $fastcgi_script_name ${site === 'app' ? '/index.php$is_args$args' : '=404'};
      fastcgi_pass ${backend};
      fastcgi_buffer_size 64k;
      fastcgi_buffers 16 64k;
      fastcgi_busy_buffers_size 128k;
${Object.entries(params)
  .map(([name, value]) => `      fastcgi_param ${name} ${value};`)
  .join('\n')}
    }
  }
}
`;
}
