// Nest on Express. Written without decorators' syntax, so that it runs as it is; in TypeScript it is @Controller('node') and @Get().
import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Pool } from 'fastcgi-pool';
import { createHandler } from 'fastcgi-pool/node';

class Greeter {
  hello() {
    return 'Node says hello';
  }
}
Controller('node')(Greeter);
Get()(Greeter.prototype, 'hello', Object.getOwnPropertyDescriptor(Greeter.prototype, 'hello'));

class App {}
Module({ controllers: [Greeter] })(App);

const port = process.env.PORT ?? 8080;
const fpm = new Pool(process.env.FPM ?? 'unix:/run/php/php-fpm.sock');
const app = await NestFactory.create(App, { logger: ['warn', 'error'] });

// Before listen(): so it stands in front of the parsers that Nest adds. What is neither a script nor a file goes to Nest.
app.use(
  createHandler(fpm, {
    root: `${import.meta.dirname}/site`,
    files: true,
    onError: (error, request) => console.error(request.url, error),
  }),
);

await app.listen(port);
console.log(`http://localhost:${port}`);
