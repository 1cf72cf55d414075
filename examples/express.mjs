import express from 'express';
import { Pool } from 'fastcgi-pool';
import { createHandler } from 'fastcgi-pool/node';

const port = process.env.PORT ?? 8080;
const fpm = new Pool(process.env.FPM ?? 'unix:/run/php/php-fpm.sock');
const app = express();
app.get('/node', (_request, response) => response.send('Node says hello'));
app.use(createHandler(fpm, { root: `${import.meta.dirname}/site`, files: true }));
// Behind PHP: in front of it, it would read the bodies that PHP is to have.
app.post('/echo', express.json(), (request, response) => response.json(request.body));
app.listen(port, () => console.log(`http://localhost:${port}`));
