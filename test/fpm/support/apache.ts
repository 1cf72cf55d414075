/** Apache with mod_proxy_fcgi in front of PHP-FPM, connections reused. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Backend, type RunningServer, startServer } from './http-server.ts';

export interface ApacheOptions {
  readonly fpm: Backend;
  /** The document root; default PHP-FPM's. */
  readonly root?: string;
  /** Connections to PHP-FPM at most, all of them kept (`max` of the worker); 0: none is kept. Default 8. */
  readonly keepalive?: number;
  /** More directives for the server. */
  readonly extra?: string;
}

const folders = ['/usr/lib/apache2/modules', '/usr/lib64/httpd/modules', '/usr/lib/httpd/modules'];
const modules = ['mpm_event', 'authz_core', 'dir', 'mime', 'proxy', 'proxy_fcgi'];

/** Its log goes through cat: Node gives a child a socket as stderr, which /dev/stderr cannot open. */
export function startApache(options: ApacheOptions): Promise<RunningServer> {
  return startServer({
    program: 'apache2',
    config: (folder, port) => apacheConfig(folder, port, options),
    args: (configFile) => ['-f', configFile, '-DFOREGROUND'],
    ready: /resuming normal operations/,
  });
}

/** The directives that load these; a module that is built in has no file. */
export function loadModules(names: readonly string[]): string {
  const home = folders.find((candidate) => existsSync(candidate));
  return names
    .map((name) => ({ name, file: join(home ?? '', `mod_${name}.so`) }))
    .filter(({ file }) => existsSync(file))
    .map(({ name, file }) => `LoadModule ${name}_module ${file}`)
    .join('\n');
}

/** As mod_proxy_fcgi names it. */
export function apacheBackend({ endpoint }: Backend): string {
  return 'path' in endpoint
    ? `unix:${endpoint.path}|fcgi://localhost`
    : `fcgi://${endpoint.host}:${endpoint.port}`;
}

function apacheConfig(folder: string, port: number, options: ApacheOptions): string {
  const { fpm, root = fpm.root, keepalive = 8 } = options;
  const backend = apacheBackend(fpm);
  const reuse = keepalive > 0 ? `enablereuse=on max=${keepalive}` : 'enablereuse=off';
  return `
ServerRoot ${folder}
${loadModules(modules)}
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${folder}/apache.pid
TypesConfig /dev/null
AddType text/html .html
AddType text/css .css
ErrorLog "|/bin/cat"
LogLevel notice
DefaultRuntimeDir ${folder}
${process.getuid?.() === 0 ? 'User nobody\nGroup nogroup' : ''}
StartServers 1
ServerLimit 1
ThreadsPerChild 64
MaxRequestWorkers 64
KeepAlive On
MaxKeepAliveRequests 0
DocumentRoot ${root}
DirectoryIndex index.php
<Directory ${root}>
  Require all granted
  AcceptPathInfo On
</Directory>
<Proxy "${backend}/">
  ProxySet ${reuse}
</Proxy>
<FilesMatch "\\.php$">
  SetHandler "proxy:${backend}"
</FilesMatch>
${options.extra ?? ''}
`;
}
