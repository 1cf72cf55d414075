// Next's custom server, in the folder of a Next application: PHP answers what is a script or a file of its root, Next all else.
import { createServer } from 'node:http';
import { Pool } from 'fastcgi-pool';
import { createHandler } from 'fastcgi-pool/node';
import next from 'next';

const port = Number(process.env.PORT ?? 8080);
const fpm = new Pool(process.env.FPM ?? 'unix:/run/php/php-fpm.sock');
const php = createHandler(fpm, {
  root: `${import.meta.dirname}/site`,
  index: [], // '/' is a page of Next's
  files: true,
  onError: (error, request) => console.error(request.url, error),
});

const app = next({ dev: process.env.NODE_ENV !== 'production', port });
await app.prepare();
const handle = app.getRequestHandler();

createServer((request, response) => {
  php(request, response, () => handle(request, response));
}).listen(port, () => console.log(`http://localhost:${port}`));
