/**
 * Whether a path is in its plain form, the one spelling that everybody reads alike. Whoever stands guard in front of a
 * script compares the path as it was sent, while the script is found by the decoded and resolved one: a guard on
 * `/admin` would let `//admin/x.php`, `/./admin/x.php`, `/%61dmin/x.php` and `/admin%2fx.php` pass.
 */

// an empty or a dot segment; an escape of what needs none (RFC 3986, 2.3) or of the slash; what no URL holds
const manySpellings =
  /\/\/|\/\.\.?(?:\/|$)|%(?:2[def]|3\d|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9ae])|[^\x21-\x7e]|[\\#]/i;

// an escape of what a path may hold as it is (RFC 3986, 3.3): `/%40admin` and `/@admin` are the same folder
const escapedDelimiter = /%(?:2[146789abc]|3[abd]|40)/i;

/** `rawPath` as it was sent, without its query. */
export function isPlainPath(rawPath: string): boolean {
  return !manySpellings.test(rawPath);
}

/**
 * Whether the part of `rawPath` that led to a file or a script is in its plain form. `segments`: how many of them it
 * has. What follows is the script's own affair: `/user/a%40b` is as good as `/user/a@b` there.
 */
export function isPlainName(rawPath: string, segments: number): boolean {
  if (!rawPath.includes('%')) return true;
  return !escapedDelimiter.test(
    rawPath
      .split('/')
      .slice(0, segments + 1)
      .join('/'),
  );
}

/** The plain form of a Target's path. */
export function plainForm(path: string): string {
  return escaped(path, /[^A-Za-z0-9\-._~!$&'()*+,;=:@/]/g);
}

/** What stands in a Location after the path: '' or the query with its `?`. */
export function plainSearch(query: string): string {
  return query === '' ? '' : `?${escaped(query, /[^\x21-\x7e]/g)}`;
}

function escaped(text: string, unsafe: RegExp): string {
  return text.replace(unsafe, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}
