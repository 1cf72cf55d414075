// npm run demo: a PHP site behind this library, from a bare clone. PORT or `-- --listen HOST:PORT` choose the port.
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { prepare, project } from './machine.mjs';

await prepare(['php-fpm']);
await build(project);

const given = process.argv.slice(2);
const isGiven = (flag) => given.some((arg) => arg === flag || arg.startsWith(`${flag}=`));
const flags = [
  ...(process.env.PORT && !isGiven('--listen') ? ['--listen', `127.0.0.1:${process.env.PORT}`] : []),
  // So that the site itself words its 404.
  ...(isGiven('--front-controller') ? [] : ['--front-controller', '/index.php']),
];
// The command line tool takes this process over, so that signals reach it without a go-between.
const bin = new URL('dist/cli/bin.js', project);
const site = fileURLToPath(new URL('examples/site', project));
process.argv = [process.argv[0], fileURLToPath(bin), 'serve', site, ...flags, ...given];
await import(bin);
