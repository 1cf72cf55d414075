// Metrics at /metrics, PHP at all other paths. grafana-dashboard.json shows them.
import { createServer } from 'node:http';
import { Pool } from 'fastcgi-pool';
import { createHandler } from 'fastcgi-pool/node';
import { observe } from 'fastcgi-pool/prometheus';
import client from 'prom-client';

const port = process.env.PORT ?? 8080;
const fpm = new Pool(process.env.FPM ?? 'unix:/run/php/php-fpm.sock');
const php = createHandler(fpm, { root: `${import.meta.dirname}/site`, files: true });

// `status`: php-fpm's own figures as well, from its `pm.status_path`.
observe(fpm, { client, labels: { site: 'example' }, status: '/status' });

const server = createServer(async (request, response) => {
  if (request.url !== '/metrics') return php(request, response);
  response.setHeader('Content-Type', client.register.contentType);
  response.end(await client.register.metrics());
}).listen(port, () => console.log(`http://localhost:${port}`));

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.close(() => fpm.close()));
}
