// Completes package-lock.json: node test/setup/lock.mjs
//
// npm leaves packages for other platforms out of the lock file where the registry it asks does not carry them, and
// `npm ci` then refuses the lock file everywhere. An entry with a version and a platform is enough for it.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = new URL('../../package-lock.json', import.meta.url);

/** The optional packages that no entry stands for: name -> { version, dev }. */
export function missingFrom(lock) {
  const missing = new Map();
  for (const [path, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      // An exact version is what names a platform's package; a range is a dependency like any other.
      const isThere = lock.packages[`node_modules/${name}`] ?? lock.packages[`${path}/node_modules/${name}`];
      if (isThere === undefined && /^\d/.test(version)) missing.set(name, { version, dev: entry.dev });
    }
  }
  return missing;
}

/** What a package's name says of its platform: '@x/y-linux-x64-musl' is { os, cpu, libc }. */
function platformOf(name) {
  const words = name.split('/').at(-1).split('-');
  const pick = (known) => words.filter((word) => known.includes(word)).slice(0, 1);
  const cpus = ['x64', 'arm64', 'ia32', 'arm', 'ppc64', 'riscv64', 's390x', 'loong64', 'mips64el', 'wasm32'];
  const os = pick([
    'linux',
    'darwin',
    'win32',
    'android',
    'freebsd',
    'openbsd',
    'netbsd',
    'sunos',
    'aix',
    'openharmony',
  ]);
  return {
    cpu: pick(cpus),
    os,
    libc:
      os[0] === 'linux'
        ? words.map((word) => ({ musl: 'musl', musleabihf: 'musl', gnu: 'glibc' })[word]).filter(Boolean)
        : [],
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  for (const [name, { version, dev }] of missingFrom(lock)) {
    const platform = Object.fromEntries(
      Object.entries(platformOf(name)).filter(([, value]) => value.length > 0),
    );
    lock.packages[`node_modules/${name}`] = { version, ...platform, ...(dev ? { dev } : {}), optional: true };
  }
  const [root, ...rest] = Object.entries(lock.packages);
  lock.packages = Object.fromEntries([root, ...rest.sort(([a], [b]) => a.localeCompare(b, 'en'))]);
  writeFileSync(file, `${JSON.stringify(lock, undefined, 2)}\n`);
}
