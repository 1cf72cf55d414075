/** The three ways to the same application, each with its own copy of it. */
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import express from 'express';
import { Pool } from 'fastcgi-pool';
import { createHandler } from 'fastcgi-pool/node';
import { freePort } from './machine.mjs';

const bin = new URL('../../dist/cli/bin.js', import.meta.url).pathname;

/** Resolves with the port of each. */
export async function startFronts(machine, application) {
  const socket = await startFpm(machine);
  const roots = {};
  const context = await application.prepare?.(machine);
  for (const front of ['nginx', 'serve', 'express']) {
    const folder = join(machine.folder, front);
    await mkdir(folder);
    roots[front] = await application.install(machine, folder, front, context);
    await machine.give(folder);
  }
  const { frontController } = application;
  return {
    nginx: await startNginx(machine, roots.nginx, socket, frontController),
    serve: await startServe(machine, roots.serve, frontController),
    express: await startExpress(roots.express, socket, frontController),
  };
}

async function startFpm(machine) {
  const socket = join(machine.folder, 'fpm.sock');
  const config = join(machine.folder, 'fpm.conf');
  const user = machine.user ? `user = ${machine.user}\ngroup = ${machine.user}\nlisten.mode = 0666\n` : '';
  await writeFile(
    config,
    `[global]\ndaemonize = no\nerror_log = ${machine.folder}/fpm.log\n[www]\nlisten = ${socket}\n${user}pm = static\npm.max_children = 4\n`,
  );
  machine.start('php-fpm8.2', ['--nodaemonize', '--fpm-config', config, '--pid', `${config}.pid`]);
  await machine.file(socket);
  return `unix:${socket}`;
}

async function startNginx(machine, root, backend, frontController) {
  const port = await freePort();
  const config = join(machine.folder, 'nginx.conf');
  const last = frontController ? `${frontController}$is_args$args` : '=404';
  const kinds = ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const temporary = kinds.map((kind) => {
    const name = kind === 'body' ? 'client_body' : kind;
    return `  ${name}_temp_path ${machine.folder}/nginx-${kind};`;
  });
  await writeFile(
    config,
    `daemon off; pid ${config}.pid; error_log ${machine.folder}/nginx.log; worker_processes 1;
${machine.user ? `user ${machine.user};` : ''}
events {}
http {
${temporary.join('\n')}
  include /etc/nginx/mime.types;
  access_log off; client_max_body_size 32m;
  server {
    listen 127.0.0.1:${port}; server_name site.test; root ${root}; index index.php index.html;
    absolute_redirect off;
    location / { try_files $uri $uri/ ${last}; }
    location ~ /\\. { return 404; }
    location ~ [^/]\\.php(/|$) {
      fastcgi_split_path_info ^(.+?\\.php)(/.*)$;
      set $path_info $fastcgi_path_info;
      try_files $fastcgi_script_name ${last};
      include /etc/nginx/fastcgi_params;
      # the last one counts; WordPress has a link to its manual for nginx else
      fastcgi_param SERVER_SOFTWARE fastcgi-pool;
      fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
      fastcgi_param PATH_INFO $path_info;
      fastcgi_buffers 16 64k;
      fastcgi_buffer_size 64k;
      fastcgi_pass ${backend};
    }
  }
}
`,
  );
  machine.start('nginx', ['-c', config, '-e', `${machine.folder}/nginx.log`]);
  await machine.file(`${config}.pid`);
  return port;
}

async function startServe(machine, root, frontController) {
  const front = frontController ? ['--front-controller', frontController] : [];
  const child = machine.start(process.execPath, [
    bin,
    'serve',
    root,
    '--listen',
    '127.0.0.1:0',
    '--quiet',
    ...front,
  ]);
  const [line] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  if (child.exitCode !== null) throw new Error('serve did not start');
  return Number(new URL(String(line).trim()).port);
}

async function startExpress(root, socket, frontController) {
  const app = express();
  app.disable('x-powered-by');
  app.use(
    createHandler(new Pool(socket), { root, files: true, ...(frontController ? { frontController } : {}) }),
  );
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  return server.address().port;
}
