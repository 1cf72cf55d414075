import { Pool } from 'fastcgi-pool';
import { createFetchHandler } from 'fastcgi-pool/fetch';
import { H3, serve } from 'h3';

const port = process.env.PORT ?? 8080;
const fpm = new Pool(process.env.FPM ?? 'unix:/run/php/php-fpm.sock');
const php = createFetchHandler(fpm, {
  root: `${import.meta.dirname}/site`,
  files: true,
  onError: (error, request) => console.error(request.url, error),
});

// PHP may have paths that are no UTF-8; h3 would refuse them.
const app = new H3({ allowMalformedURL: true });
app.get('/node', () => 'Node says hello');
app.all('/**', (event) => php(event.req, { remote: { address: event.req.ip ?? '', port: 0 } }));

const server = serve(app, { port, silent: true });
await server.ready();
console.log(`http://localhost:${port}`);
