// What a request that takes too long looks like, and what its error knows.
import { buildParams, Pool } from 'fastcgi-pool';

const fpm = new Pool(process.env.FPM ?? 'unix:/run/php/php-fpm.sock', {
  connectTimeout: 2000, // ms until PHP-FPM has taken the connection
  headersTimeout: 10_000, // ms of silence before the head of the response
  bodyTimeout: 10_000, // ms of silence within its body
});
const params = buildParams(
  { method: 'GET', url: '/stream.php', headers: [] },
  { root: `${import.meta.dirname}/site` },
);

// This page takes seconds. A signal ends it at any stage; its worker is free again, as its connection is closed.
try {
  const response = await fpm.request({ params, signal: AbortSignal.timeout(500) });
  await response.body.text();
} catch (error) {
  console.log(error.name, '-', error.message);
}

// Every error of the library has a code, and says whether PHP has run the request.
try {
  const nobody = new Pool('unix:/nowhere.sock', { connectTimeout: 200 });
  await nobody.request({ params });
} catch (error) {
  console.log(error.code, '- executed:', error.executed, '-', error.message);
}

// One request may be given less time than the others.
try {
  const response = await fpm.request({ params, bodyTimeout: 1 });
  await response.body.text();
} catch (error) {
  console.log(error.code, '- executed:', error.executed);
}

await fpm.close();
