/** A PHP script may ask for its connection to be closed: after `fastcgi_finish_request()` its worker is busy for long. */
import type { Head } from '../cgi/head.ts';

/**
 * Does the head say `Connection: close`? `close` and `keep-alive` are for us and are taken out. Names of headers stay, as
 * whoever passes the head on has to drop what they name.
 */
export function askedToClose(head: Head): boolean {
  const value = head.headers['connection'];
  if (value === undefined) return false;
  const options = optionsOf([value].flat().join(','));
  const named = options.filter((option) => !isOurs(option)).join(', ');
  if (named === '') delete head.headers['connection'];
  else head.headers['connection'] = named;
  const { rawHeaders } = head;
  for (let i = rawHeaders.length - 2; i >= 0; i -= 2) {
    if (rawHeaders[i]?.toLowerCase() !== 'connection') continue;
    const rest = optionsOf(rawHeaders[i + 1] ?? '').filter((option) => !isOurs(option));
    if (rest.length === 0) rawHeaders.splice(i, 2);
    else rawHeaders[i + 1] = rest.join(', ');
  }
  return options.some((option) => option.toLowerCase() === 'close');
}

function optionsOf(value: string): string[] {
  return value
    .split(',')
    .map((option) => option.trim())
    .filter((option) => option !== '');
}

function isOurs(option: string): boolean {
  return /^(?:close|keep-alive)$/i.test(option);
}
