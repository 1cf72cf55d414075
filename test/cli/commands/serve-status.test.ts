/** The status page of `serve`. */
import { get } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StatusReport } from '../../../src/observe/status/report.ts';
import { startFpm } from '../../fpm/support/fpm.ts';
import { type RunningServer, startServer } from '../../fpm/support/http-server.ts';
import { tempPaths } from '../../fpm/support/nginx.ts';
import { waitFor } from '../../fpm/support/wait.ts';
import { serve } from '../support/serving.ts';
import { SiteFolder, text } from '../support/site.ts';

let site: SiteFolder;
beforeEach(() => {
  site = new SiteFolder();
  site.put('index.php', '<?php echo "app ", $_SERVER["REQUEST_URI"];');
});
afterEach(() => site.remove());

/** Each look for php-fpm's status may take a second, and fail where the machine is busy. */
const PATIENCE = { what: "php-fpm's own status", timeout: 20_000 };

const FRONT = ['--front-controller', '/index.php'];

/** As short as a manual has them: nothing is said of who asks. */
const proxies: Readonly<Record<string, (to: string) => Promise<RunningServer>>> = {
  'nginx before 1.29.7': (to) => nginx(to, 'proxy_http_version 1.0;'),
  'nginx from 1.29.7 on': (to) => nginx(to, 'proxy_http_version 1.1; proxy_set_header Connection "";'),
  'nginx with HTTP/1.1': (to) => nginx(to, 'proxy_http_version 1.1; proxy_set_header Connection close;'),
  HAProxy: (to) =>
    startServer({
      program: 'haproxy',
      config: (_, port) => `
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
listen site
  bind 127.0.0.1:${port}
  server site ${to}
`,
      args: (configFile) => ['-db', '-f', configFile],
    }),
};

function nginx(to: string, how: string): Promise<RunningServer> {
  return startServer({
    program: 'nginx',
    config: (folder, port) => `
daemon off;
pid ${folder}/nginx.pid;
error_log stderr notice;
events { worker_connections 64; }
http {
${tempPaths(folder)}
  access_log off;
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://${to}; ${how} } }
}
`,
    args: (configFile, folder) => ['-c', configFile, '-p', folder, '-e', 'stderr'],
  });
}

describe('serve', () => {
  it('shows what it does at /-/fastcgi-pool, its own php-fpm included, and ends with the page open', async () => {
    await using served = await serve(site.path, [...FRONT, '--quiet']);
    const page = `${served.url}/-/fastcgi-pool`;
    expect(await text(`${served.url}/a`)).toBe('app /a');
    expect(await text(page)).toContain('<title>fastcgi-pool: unix:');
    const report = await waitFor(async () => {
      const found: StatusReport = JSON.parse(await text(`${page}?json`));
      // it serves pages before all of them are there
      return found.fpm[0]?.page?.['total processes'] === 8 && found;
    }, PATIENCE);
    expect(report.fpm[0]?.page).toMatchObject({ pool: 'www' });
    expect(report.served).toBeGreaterThanOrEqual(1);
    // what the page asks for itself is no script of the site
    expect(report.scripts).toEqual([]);
    const open = await fetch(`${page}?events`);
    expect(open.status).toBe(200);
    expect(await served.stop()).toBe(0);
  });

  it('shows it to nobody else: who comes by another name gets what the site has there', async () => {
    await using served = await serve(site.path, [...FRONT, '--quiet']);
    const body = await new Promise<string>((resolve, reject) => {
      get(`${served.url}/-/fastcgi-pool`, { headers: { Host: 'shop.example' } }, (response) => {
        let all = '';
        response.on('data', (chunk: Buffer) => {
          all += chunk.toString();
        });
        response.once('end', () => resolve(all));
      }).once('error', reject);
    });
    expect(body).toBe('app /-/fastcgi-pool');
  });

  it.each(Object.keys(proxies))('does not show it through %s, whatever a client says', async (name) => {
    await using served = await serve(site.path, [...FRONT, '--quiet', '--connections', '1']);
    const proxy = await proxies[name]?.(new URL(served.url).host);
    if (!proxy) throw new Error(name);
    for (const Host of ['www.example', 'localhost', '127.0.0.1']) {
      const headers = { Host, Connection: 'keep-alive' };
      const body = await new Promise<string>((resolve, reject) => {
        get(`${proxy.url}/-/fastcgi-pool?json`, { headers }, (response) => {
          response.setEncoding('utf8').once('data', resolve);
        }).once('error', reject);
      });
      expect(body).toBe('app /-/fastcgi-pool?json');
    }
    expect(await text(`${served.url}/-/fastcgi-pool?json`)).toContain('"servers"');
    await proxy.stop();
  });

  it("has the status of an upstream's php-fpm by --fpm-status, which no visitor gets", async () => {
    await using fpm = await startFpm({ statusPath: '/fpm-here' });
    await using served = await serve(site.path, [
      ...[...FRONT, '--quiet', '--upstream', fpm.address, '--fpm-status', '/fpm-here'],
    ]);
    expect(await text(`${served.url}/fpm-here`)).toBe('app /fpm-here');
    const report = await waitFor(async () => {
      const found: StatusReport = JSON.parse(await text(`${served.url}/-/fastcgi-pool?json`));
      return found.fpm[0]?.page != null && found;
    }, PATIENCE);
    expect(report.fpm[0]).toMatchObject({ uri: `${fpm.address};/fpm-here`, page: { pool: 'www' } });
    expect(report.scripts).toEqual([]);
  });

  it('shows it where --status says, or nowhere', async () => {
    await using elsewhere = await serve(site.path, [...FRONT, '--quiet', '--status', '/pool']);
    expect(await text(`${elsewhere.url}/pool?json`)).toContain('"servers"');
    expect(await text(`${elsewhere.url}/-/fastcgi-pool`)).toBe('app /-/fastcgi-pool');
    await using nowhere = await serve(site.path, [...FRONT, '--quiet', '--status', 'off']);
    expect(await text(`${nowhere.url}/-/fastcgi-pool`)).toBe('app /-/fastcgi-pool');
  });
});
