// PHP, and at /-/fastcgi-pool a page that shows how it is doing: for who sits at this machine only.
import { createServer } from 'node:http';
import { Pool } from 'fastcgi-pool';
import { createHandler, statusHandler } from 'fastcgi-pool/node';

const port = process.env.PORT ?? 8080;
const fpm = new Pool(process.env.FPM ?? 'unix:/run/php/php-fpm.sock');
const php = createHandler(fpm, { root: `${import.meta.dirname}/site`, files: true });
const status = statusHandler(fpm, { fpmStatus: '/status' });

const server = createServer((request, response) => {
  const [path] = request.url.split('?');
  return path === '/-/fastcgi-pool' ? status(request, response) : php(request, response);
}).listen(port, () => console.log(`http://localhost:${port}`));

process.once('SIGTERM', () => {
  // Pages that are open would keep the server from ending.
  status.close();
  server.close(() => fpm.close());
});
