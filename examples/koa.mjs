import { Pool } from 'fastcgi-pool';
import { createMiddleware } from 'fastcgi-pool/koa';
import Koa from 'koa';

const port = process.env.PORT ?? 8080;
const fpm = new Pool(process.env.FPM ?? 'unix:/run/php/php-fpm.sock');

const app = new Koa();

app.use(async (ctx, next) => {
  await next();
  // PHP's status, headers and body are here, and not sent yet.
  console.log(ctx.method, ctx.url, ctx.status);
});

app.use(
  createMiddleware(fpm, {
    root: `${import.meta.dirname}/site`,
    files: true,
    onError: (error, ctx) => console.error(ctx.url, error),
  }),
);

// What is not PHP's comes here.
app.use((ctx) => {
  if (ctx.path === '/node') ctx.body = 'Node says hello';
});

app.listen(port, () => console.log(`http://localhost:${port}`));
