// Vite in middleware mode: its modules and hot reloads come first, PHP makes the pages.
import { createServer } from 'node:http';
import { Pool } from 'fastcgi-pool';
import { createHandler } from 'fastcgi-pool/node';
import { createServer as createVite } from 'vite';

const port = process.env.PORT ?? 8080;
const root = `${import.meta.dirname}/site`;
const fpm = new Pool(process.env.FPM ?? 'unix:/run/php/php-fpm.sock');

const php = createHandler(fpm, { root, onError: (error, request) => console.error(request.url, error) });
const server = createServer();
const vite = await createVite({
  root,
  appType: 'custom', // Vite makes no pages of its own
  logLevel: 'warn',
  configFile: false,
  server: { middlewareMode: { server }, hmr: { server } },
});

// A script is PHP's, whatever Vite would make of a file in its root; all else is Vite's first.
server.on('request', (request, response) => {
  php(request, response, () => vite.middlewares(request, response, () => response.writeHead(404).end()));
});
server.listen(port, () => console.log(`http://localhost:${port}`));
