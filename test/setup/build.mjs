// Builds dist/ where the sources have changed since it was built.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { run } from './run.mjs';
import { fail, say } from './say.mjs';

/** The types take most of the time: only who publishes or tests them asks for them. */
export async function build(project, { types = false } = {}) {
  const cache = new URL('node_modules/.cache/fastcgi-pool/', project);
  const stamp = new URL('built', cache);
  const hash = hashOf(project);
  const built =
    existsSync(new URL('dist/cli/bin.js', project)) && existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
  if (built === `${hash} with types` || (built === hash && !types)) return;
  say('Building (tsup) ...');
  const { code, output } = await run(
    'npx',
    ['--no-install', 'tsup', '--silent', ...(types ? [] : ['--no-dts'])],
    {
      cwd: project,
    },
  );
  if (code !== 0) fail(`tsup failed:\n${output}`);
  mkdirSync(cache, { recursive: true });
  writeFileSync(stamp, types ? `${hash} with types` : hash);
}

/** Of contents, not of times: times differ after a checkout. */
function hashOf(project) {
  const hash = createHash('sha256');
  const sources = readdirSync(new URL('src', project), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`)
    .sort();
  for (const file of sources) hash.update(file).update(readFileSync(file));
  for (const name of ['package.json', 'package-lock.json', 'tsconfig.json']) {
    hash.update(readFileSync(new URL(name, project)));
  }
  return hash.digest('hex');
}
