/** Which path lies in which folder. */

/** With the slash, as `/srv/app-old` is not below `/srv/app`. */
export function isInside(real: string, root: string): boolean {
  return real === root || real.startsWith(root.endsWith('/') ? root : `${root}/`);
}
