/** Which paths are never sent as they are, whatever lies there. Paths are latin1, one char a byte. */

/**
 * PHP source and the copies that editors, package managers and people leave of it: `x.PHP`, `x.phtml`, `x.php~`,
 * `x.php.bak`, `.x.php.swp`. A file that only speaks of PHP (`mode-php.js`, `php.css`) is none.
 */
const phpSource =
  /\.(?:php\d*|phps|pht|phtml|phar|inc)(?:$|[~_\s-]|\.(?:bak|backup|copy|dist|old|orig|rej|save|sw[a-p]|te?mp|\d+)~?$)/i;

export function isPhpSource(path: string): boolean {
  return phpSource.test(path.slice(path.lastIndexOf('/') + 1));
}

/** A segment begins with a dot (`.git`, `.env`, `.htpasswd`), `.well-known` (RFC 8615) at the top aside. */
export function isHidden(path: string): boolean {
  const rest = path.startsWith('/.well-known/') ? path.slice('/.well-known'.length) : path;
  return rest.includes('/.');
}
