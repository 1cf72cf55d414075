import express from 'express';
import { Pool } from 'fastcgi-pool';
import { createHandler } from 'fastcgi-pool/node';

const port = process.env.PORT ?? 8080;
const root = `${import.meta.dirname}/site`;
const fpm = new Pool(process.env.FPM ?? 'unix:/run/php/php-fpm.sock');

const app = express();
app.get('/node', (_request, response) => response.send('Node says hello'));
app.use(createHandler(fpm, { root, onError: (error, request) => console.error(request.url, error) }));
// Behind PHP, never in front of it: it would show the scripts' source.
app.use(express.static(root));
// Behind PHP, too: it would read the bodies that PHP is to have.
app.post('/echo', express.json(), (request, response) => response.json(request.body));

app.listen(port, () => console.log(`http://localhost:${port}`));
