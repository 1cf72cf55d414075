/** Users as /etc/passwd and /etc/group have them: to read two files takes no process, which `id` does twice. */

/** Names or numeric ids, as php-fpm's `user` and `group` take them. */
export interface FpmUser {
  readonly user: string;
  readonly group: string;
}

/** `wanted`: a name, or else a user id. Null where the files do not know the user, or its group: it may be of a directory service. */
export function accountIn(passwd: string, group: string, wanted: string): FpmUser | null {
  const users = entries(passwd);
  const user = users.find(([name]) => name === wanted) ?? users.find(([, , uid]) => uid === wanted);
  const [name, , , gid] = user ?? [];
  const primary = entries(group).find((one) => gid !== undefined && one[2] === gid);
  return name && primary?.[0] ? { user: name, group: primary[0] } : null;
}

/** Null: the file does not know the user. */
export function uidIn(passwd: string, name: string): number | null {
  const uid = entries(passwd).find(([user]) => user === name)?.[2];
  return uid !== undefined && /^\d+$/.test(uid) ? Number(uid) : null;
}

function entries(file: string): string[][] {
  // `+` and `-` are compat entries of NIS
  return file
    .split('\n')
    .filter((line) => /^[^#+-]/.test(line))
    .map((line) => line.split(':'));
}
