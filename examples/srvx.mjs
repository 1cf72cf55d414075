// The same handler on Node, Bun and Deno, whichever runs this file.
import { Pool } from 'fastcgi-pool';
import { createFetchHandler } from 'fastcgi-pool/fetch';
import { serve } from 'srvx';

const port = process.env.PORT ?? 8080;
const fpm = new Pool(process.env.FPM ?? 'unix:/run/php/php-fpm.sock');
const php = createFetchHandler(fpm, {
  root: `${import.meta.dirname}/site`,
  files: true,
  onError: (error, request) => console.error(request.url, error),
});

const server = serve({
  port,
  silent: true,
  fetch: (request) =>
    php(request, {
      // The client's port nobody knows here.
      remote: { address: request.ip ?? '', port: 0 },
      next: () => new Response('Not PHP, and not here\n', { status: 404 }),
    }),
});
await server.ready();
console.log(`http://localhost:${port}`);
