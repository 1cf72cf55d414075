// Both ways piece by piece: nothing is held in memory, however large it is.
import { buildParams, Pool } from 'fastcgi-pool';

const fpm = new Pool(process.env.FPM ?? 'unix:/run/php/php-fpm.sock');
const site = { root: `${import.meta.dirname}/site` };

// A page that PHP sends over some seconds: each piece is here when PHP flushes it.
const page = await fpm.request({
  params: buildParams({ method: 'GET', url: '/stream.php', headers: [] }, site),
});
const start = performance.now();
for await (const chunk of page.body) {
  console.log(`${chunk.length} bytes after ${Math.round(performance.now() - start)} ms`);
}

// A body that is made while it is sent. PHP-FPM wants its length beforehand.
const pieces = 256;
const piece = Buffer.alloc(65_536, 'x');
async function* upload() {
  for (let i = 0; i < pieces; i++) yield piece;
}
const answer = await fpm.request({
  params: buildParams(
    {
      method: 'POST',
      url: '/route.php/hello/upload',
      headers: [['Content-Type', 'application/octet-stream']],
      contentLength: pieces * piece.length,
    },
    site,
  ),
  body: upload(),
});
await answer.body.text();
console.log(`${answer.statusCode} for ${pieces * piece.length} bytes sent`);

await fpm.close();
