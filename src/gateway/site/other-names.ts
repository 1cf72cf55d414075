/**
 * Names under which a file system may find a file that is called otherwise. Few files are really called so, and they can be
 * given another name; what the others lead to may be what nobody was to see.
 * Paths begin with a slash; each char is one byte.
 */

/**
 * FAT and NTFS give names of their own beside the long ones, also where Linux has them (a stick, a Windows drive in WSL, a share): `GIT~1` is
 * `.git`, and what it stands for is not to be seen in it. Git looks for them on all systems since CVE-2019-1353.
 */
const shortName = /^(?=[^.]{3,8}(?:\.|$))[^.]{1,6}~\d+(?:\.[^.]{0,3})?[. ]*$/;

/** NTFS: `a.ini::$DATA` is `a.ini`, `a::$INDEX_ALLOCATION` the folder `a`. */
const stream = '::$';

export function isShortName(segment: string): boolean {
  return segment.includes('~') && shortName.test(segment);
}

/** Whatever a name ends with, nobody can tell from it what lies behind. */
export function isObscured(path: string): boolean {
  if (path.includes(stream)) return true;
  return path.includes('~') && path.split('/').slice(0, -1).some(isShortName);
}

/**
 * As a file system compares names that tells neither case nor spelling (APFS, ext4's `casefold`): `.ſql` is `.sql`, by U+017F, and chars that
 * nobody sees do not count. `path` itself where it is ASCII.
 */
export function folded(path: string): string {
  if (!/[\x80-\xff]/.test(path)) return path;
  const text = Buffer.from(path, 'latin1').toString();
  return text
    .normalize()
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toUpperCase()
    .toLowerCase();
}
