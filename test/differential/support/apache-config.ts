/** Apache as its manual's page on PHP-FPM has it: mod_proxy_fcgi by SetHandler, for files that exist only. */
import { apacheBackend, type Backend, loadModules } from '../../fpm/support/index.ts';
import type { SiteName } from './case.ts';

const modules = ['mpm_event', 'authz_core', 'alias', 'dir', 'mime', 'proxy', 'proxy_fcgi'];

export function apacheConfig(folder: string, port: number, fpm: Backend, site: SiteName): string {
  const { root } = fpm;
  const backend = apacheBackend(fpm);
  return `
ServerRoot ${folder}
${loadModules(modules)}
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${folder}/apache.pid
ErrorLog "|/bin/cat"
LogLevel notice
DefaultRuntimeDir ${folder}
${process.getuid?.() === 0 ? 'User nobody\nGroup nogroup' : ''}
StartServers 1
ServerLimit 1
ThreadsPerChild 25
MaxRequestWorkers 25
TraceEnable off
LimitRequestLine 16384
LimitRequestFieldSize 16384
TypesConfig /dev/null
AddType text/html .html
AddType text/css .css
AddType text/javascript .js
AddType text/plain .txt
AddType application/json .json
AddType image/svg+xml .svg
AddType image/png .png
AddType application/pdf .pdf
AddCharset utf-8 .html .css .js .txt .json
DocumentRoot ${root}
DirectoryIndex index.php index.html
${site === 'app' ? 'FallbackResource /index.php' : ''}
ProxyFCGIBackendType FPM
RedirectMatch 404 "/\\.(?!well-known/)"
RedirectMatch 404 "(?i)\\.(?:inc|phar|phps|phtml|php[0-9])$"
<Directory ${root}>
  Require all granted
  Options SymLinksIfOwnerMatch
  AllowOverride None
  CGIPassAuth On
</Directory>
<FilesMatch "\\.php$">
  AcceptPathInfo On
  <If "-f %{REQUEST_FILENAME}">
    SetHandler "proxy:${backend}"
  </If>
</FilesMatch>
`;
}
