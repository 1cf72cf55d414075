// Are the system programs there? If not, apt-get installs them; where that cannot be, we say what to install.
import { findProgram, howToInstall, programs } from './programs.mjs';
import { run } from './run.mjs';
import { fail, say } from './say.mjs';

/** `names` are keys of `programs`. */
export async function prepareSystem(names) {
  const missing = names.filter((name) => findProgram(name) === undefined);
  if (missing.length === 0) return;

  const asRoot = await rootPrefix();
  if (asRoot === undefined) giveUp(missing);
  const packages = missing.flatMap((name) => programs[name].packages.apt.split(' '));
  say(`Installing ${packages.join(', ')} (apt-get) ...`);
  // A fresh machine has no package lists; another apt-get may be at work just now: wait for its lock.
  const wait = ['-o', 'DPkg::Lock::Timeout=120'];
  const update = await run(...asRoot(['apt-get', ...wait, '-qq', 'update']));
  const install = await run(
    ...asRoot(['apt-get', ...wait, '-qq', 'install', '-y', '--no-install-recommends', ...packages]),
  );

  const left = missing.filter((name) => findProgram(name) === undefined);
  if (left.length > 0) giveUp(left, `${update.output}${install.output}`);
}

/** How a command is run as root: as it is, through sudo without a password, or not at all (undefined). */
async function rootPrefix() {
  if ((await run('apt-get', ['--version'])).code !== 0) return undefined;
  const quiet = 'DEBIAN_FRONTEND=noninteractive';
  if (process.getuid?.() === 0) return (command) => ['env', [quiet, ...command]];
  if ((await run('sudo', ['-n', 'true'])).code !== 0) return undefined;
  return (command) => ['sudo', ['-n', 'env', quiet, ...command]];
}

function giveUp(names, output = '') {
  if (output !== '') say(output.trimEnd());
  fail(`Please install ${names.join(', ')}, then run this again: ${howToInstall(names)}`);
}
