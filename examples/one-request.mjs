// One script, asked without any HTTP server: FPM=unix:/run/php/php-fpm.sock node examples/one-request.mjs
import { buildParams, Pool } from 'fastcgi-pool';

const fpm = new Pool(process.env.FPM ?? 'unix:/run/php/php-fpm.sock');

// What PHP sees in $_SERVER; root is where PHP-FPM finds the scripts.
const params = buildParams(
  { method: 'GET', url: '/index.php?lang=en', headers: [['Host', 'localhost']] },
  { root: `${import.meta.dirname}/site` },
);

const response = await fpm.request({ params });
console.log(response.statusCode, response.headers['content-type']);
console.log(await response.body.text());

await fpm.close();
