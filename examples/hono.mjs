import { serve } from '@hono/node-server';
import { getConnInfo } from '@hono/node-server/conninfo';
import { serveStatic } from '@hono/node-server/serve-static';
import { Pool } from 'fastcgi-pool';
import { createFetchHandler } from 'fastcgi-pool/fetch';
import { Hono } from 'hono';

const port = Number(process.env.PORT ?? 8080);
const root = `${import.meta.dirname}/site`;
const fpm = new Pool(process.env.FPM ?? 'unix:/run/php/php-fpm.sock');
const php = createFetchHandler(fpm, {
  root,
  onError: (error, request) => console.error(request.url, error),
});

const app = new Hono();
app.get('/node', (c) => c.text('Node says hello'));
app.use(async (c, next) => {
  // What is not PHP's goes to the next handler, which serves files.
  const pass = async () => {
    await next();
    return c.res;
  };
  return php(c.req.raw, { remote: getConnInfo(c).remote, next: pass });
});
app.use(serveStatic({ root }));

serve({ fetch: app.fetch, port }, () => console.log(`http://localhost:${port}`));
