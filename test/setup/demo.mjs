// npm run demo: a PHP site behind this library, from a bare clone. PORT or `-- --listen HOST:PORT` choose the port.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  ...(isGiven('--upstream') ? [] : sessionsOf(sessionFolder())),
];
// The command line tool takes this process over, so that signals reach it without a go-between.
const bin = new URL('dist/cli/bin.js', project);
const site = fileURLToPath(new URL('examples/site', project));
process.argv = [process.argv[0], fileURLToPath(bin), 'serve', site, ...flags, ...given];
await import(bin);

/** PHP need not tidy up in there, and may not even look. */
function sessionsOf(folder) {
  return ['--ini', `session.save_path=${folder}`, '--ini', 'session.gc_probability=0'];
}

/** Goes with the demo. Whoever PHP runs as may write there, and nobody may look who else did. */
function sessionFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'fastcgi-pool-demo-'));
  chmodSync(folder, 0o1733);
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
