// Twenty form posts to three servers, of which at least two are not there: FPM=... node examples/several-servers.mjs
import { buildParams, Upstream } from 'fastcgi-pool';

const fpm = new Upstream([
  { address: process.env.FPM ?? 'unix:/run/php/php-fpm.sock', weight: 2 },
  // After three failures within ten seconds it is left alone for ten seconds.
  { address: '127.0.0.1:9001', maxFails: 3, failTimeout: 10_000 },
  { address: '127.0.0.1:9002', backup: true },
]);

const headers = [['Content-Type', 'application/x-www-form-urlencoded']];
const params = buildParams(
  { method: 'POST', url: '/route.php/sum/1/2/39', headers },
  { root: `${import.meta.dirname}/site` },
);

// A refused connection is proof that PHP has not run the request: even a POST goes on to the next server.
for (let i = 0; i < 20; i++) {
  const response = await fpm.request({ params, body: 'name=Ada' });
  await response.body.text();
  console.log(response.statusCode);
}
console.log(`${fpm.stats.served} of 20 answered`);

await fpm.close();
