// Are the npm packages there that the lock file names? If not, `npm ci`.
import { readFileSync } from 'node:fs';
import { run } from './run.mjs';
import { fail, say } from './say.mjs';

/** `project` is the folder of package.json, with a slash at its end, as a URL. */
export async function prepareModules(project) {
  if (isInstalled(project)) return;
  say('Installing the npm packages (npm ci) ...');
  // Tests and build need the development packages, whatever NODE_ENV says.
  const { code, output } = await run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'], {
    cwd: project,
  });
  if (code !== 0) fail(`npm ci failed:\n${output}`);
}

/** Compares versions and not times: a checkout gives the lock file a new time without any change. */
function isInstalled(project) {
  const wanted = packagesOf(new URL('package-lock.json', project));
  const present = packagesOf(new URL('node_modules/.package-lock.json', project));
  if (wanted === undefined) fail('package-lock.json is missing or is no JSON: is this a whole clone?');
  if (present === undefined) return false;
  return Object.entries(wanted).every(
    // The root itself is not installed; an optional package is there only on the platform it is for.
    ([path, { version, optional }]) => path === '' || optional || present[path]?.version === version,
  );
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}
