/**
 * Who runs PHP where we are root: the owner of the document root, who may change the application anyway. Where that
 * is root too, the web server's user if it can read the document root; else root, which is said aloud.
 */
import { execFile } from 'node:child_process';
import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { UsageError } from '../usage-error.ts';
import { accountIn, type FpmUser, uidIn } from './accounts.ts';

/** Debian, Red Hat, Arch, Alpine and macOS, the last resort. */
const webUsers = ['www-data', 'apache', 'http', 'nginx', '_www', 'nobody'];

const run = promisify(execFile);

/** `given` is the value of --user, or null. */
export async function chooseUser(given: string | null, docroot: string): Promise<FpmUser> {
  if (given !== null) {
    const user = await lookUp(given);
    if (user) return user;
    throw new UsageError(`--user '${given}' is no user of this machine`);
  }
  const { uid, gid } = await stat(docroot);
  if (uid !== 0) return (await lookUp(String(uid))) ?? { user: String(uid), group: String(gid) };
  if (await readableByAll(docroot)) {
    for (const name of webUsers) {
      const user = await lookUp(name);
      if (user) return user;
    }
  }
  return { user: 'root', group: 'root' };
}

/** Their numbers, for a process that is started as that user. */
export async function idsOf({ user, group }: FpmUser): Promise<{ uid: number; gid: number }> {
  if (/^\d+$/.test(user)) return { uid: Number(user), gid: Number(group) };
  const [uid, gid] = await Promise.all([run('id', ['-u', user]), run('id', ['-g', user])]);
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

/** Of PHP's user: what files say of their owner. */
export async function uidOf({ user }: FpmUser): Promise<number> {
  if (/^\d+$/.test(user)) return Number(user);
  const local = uidIn(await readFile('/etc/passwd', 'utf8'), user);
  return local ?? Number((await run('id', ['-u', user])).stdout);
}

async function lookUp(name: string): Promise<FpmUser | null> {
  // Such a name could be taken for an option of `id`, or break the line of the configuration.
  if (!/^[\w][\w.@$-]*$/.test(name)) return null;
  try {
    const files = await Promise.all(['/etc/passwd', '/etc/group'].map((file) => readFile(file, 'utf8')));
    const local = accountIn(files[0] ?? '', files[1] ?? '', name);
    if (local) return local;
  } catch {
    // then `id` knows
  }
  try {
    const [user, group] = await Promise.all([run('id', ['-un', name]), run('id', ['-gn', name])]);
    return { user: user.stdout.trim(), group: group.stdout.trim() };
  } catch {
    return null;
  }
}

async function readableByAll(docroot: string): Promise<boolean> {
  let folder = await realpath(docroot);
  if (((await stat(folder)).mode & 0o005) !== 0o005) return false;
  while (folder !== dirname(folder)) {
    folder = dirname(folder);
    if (((await stat(folder)).mode & 0o001) === 0) return false;
  }
  return true;
}
