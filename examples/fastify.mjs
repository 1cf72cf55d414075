import { Pool } from 'fastcgi-pool';
import php from 'fastcgi-pool/fastify';
import Fastify from 'fastify';

const port = Number(process.env.PORT ?? 8080);
const fpm = new Pool(process.env.FPM ?? 'unix:/run/php/php-fpm.sock');

const app = Fastify({ logger: { level: 'warn' } });
app.get('/node', async () => 'Node says hello');
app.register(php, { dispatcher: fpm, root: `${import.meta.dirname}/site`, files: true });
app.addHook('onClose', () => fpm.close());

await app.listen({ port });
console.log(`http://localhost:${port}`);
