// Which system programs the demo and the tests run, where they hide, and what to install where one is missing.
// Plain Node without dependencies: this runs before `npm ci` has run.
import { accessSync, constants, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The packages that bring each program, and the names its file may have. */
export const programs = {
  'php-fpm': {
    file: /^php-fpm-?(\d+(\.\d+)?)?$/,
    packages: { apt: 'php-fpm', dnf: 'php-fpm', apk: 'php84-fpm', brew: 'php' },
  },
  'php-cgi': {
    file: /^php-cgi-?(\d+(\.\d+)?)?$/,
    packages: { apt: 'php-cgi', dnf: 'php-cli', apk: 'php84-cgi', brew: 'php' },
  },
  nginx: {
    file: /^nginx$/,
    packages: { apt: 'nginx-light', dnf: 'nginx', apk: 'nginx', brew: 'nginx' },
  },
  haproxy: {
    file: /^haproxy$/,
    packages: { apt: 'haproxy', dnf: 'haproxy', apk: 'haproxy', brew: 'haproxy' },
  },
  apache2: {
    file: /^(apache2|httpd)$/,
    packages: { apt: 'apache2-bin', dnf: 'httpd', apk: 'apache2-proxy', brew: 'httpd' },
  },
  curl: {
    file: /^curl$/,
    packages: { apt: 'curl', dnf: 'curl', apk: 'curl', brew: 'curl' },
  },
  ss: {
    file: /^ss$/,
    packages: { apt: 'iproute2', dnf: 'iproute', apk: 'iproute2', brew: 'iproute2mac' },
  },
  wrk: {
    file: /^wrk$/,
    packages: { apt: 'wrk', dnf: 'wrk', apk: 'wrk', brew: 'wrk' },
  },
  socat: {
    file: /^socat$/,
    packages: { apt: 'socat', dnf: 'socat', apk: 'socat', brew: 'socat' },
  },
  dnsmasq: {
    file: /^dnsmasq$/,
    packages: { apt: 'dnsmasq-base', dnf: 'dnsmasq', apk: 'dnsmasq', brew: 'dnsmasq' },
  },
};

// Servers live in sbin, which is not in the PATH of an ordinary user.
const sbin = [
  '/usr/local/sbin',
  '/usr/sbin',
  '/sbin',
  '/opt/homebrew/sbin',
  '/opt/homebrew/bin',
  '/usr/local/bin',
];

/** The absolute path of a program, the newest of several versions, or undefined. */
export function findProgram(name) {
  const { file } = programs[name];
  for (const folder of new Set([...(process.env.PATH ?? '').split(delimiter), ...sbin])) {
    const found = list(folder)
      .filter((entry) => file.test(entry) && isExecutable(join(folder, entry)))
      .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))[0];
    if (found !== undefined) return join(folder, found);
  }
  return undefined;
}

/** One line for a person: what to type on which system to get these programs. */
export function howToInstall(names) {
  const line = (tool) => names.map((name) => programs[name].packages[tool]).join(' ');
  return (
    `apt-get install ${line('apt')} (Debian, Ubuntu); dnf install ${line('dnf')} (Fedora, RHEL); ` +
    `apk add ${line('apk')} (Alpine); brew install ${line('brew')} (macOS)`
  );
}

function list(folder) {
  if (folder === '') return [];
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
