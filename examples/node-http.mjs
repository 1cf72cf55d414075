import { createServer } from 'node:http';
import { Pool } from 'fastcgi-pool';
import { createHandler } from 'fastcgi-pool/node';

const port = process.env.PORT ?? 8080;
const fpm = new Pool(process.env.FPM ?? 'unix:/run/php/php-fpm.sock');

const php = createHandler(fpm, {
  root: `${import.meta.dirname}/site`,
  files: true,
  onError: (error, request) => console.error(request.url, error),
});

const server = createServer(php).listen(port, () => console.log(`http://localhost:${port}`));

// First the requests that are there are answered, then the connections to PHP-FPM are closed.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.close(() => fpm.close()));
}
