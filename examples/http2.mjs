// With a key: HTTP/2 and HTTP/1 over TLS. Without: HTTP/2 in the clear, as behind a proxy (curl --http2-prior-knowledge).
// KEY=key.pem CERT=cert.pem node examples/http2.mjs
import { readFileSync } from 'node:fs';
import { createSecureServer, createServer } from 'node:http2';
import { Pool } from 'fastcgi-pool';
import { createHandler } from 'fastcgi-pool/node';

const port = process.env.PORT ?? 8080;
const { KEY, CERT } = process.env;
const fpm = new Pool(process.env.FPM ?? 'unix:/run/php/php-fpm.sock');
const php = createHandler(fpm, { root: `${import.meta.dirname}/site`, files: true });

const server =
  KEY && CERT
    ? createSecureServer({ key: readFileSync(KEY), cert: readFileSync(CERT), allowHTTP1: true }, php)
    : createServer(php);

server.listen(port, () => console.log(`${KEY ? 'https' : 'http'}://localhost:${port}`));
