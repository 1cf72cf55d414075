/** A PHP script may ask for its connection to be closed: after `fastcgi_finish_request()` its worker is busy for long. */
import type { Head } from '../cgi/head.ts';

/** Does the head say `Connection: close`? The header is taken out: it is for us, not for the HTTP client. */
export function askedToClose(head: Head): boolean {
  const value = head.headers['connection'];
  if (value === undefined) return false;
  delete head.headers['connection'];
  const { rawHeaders } = head;
  for (let i = rawHeaders.length - 2; i >= 0; i -= 2) {
    if (rawHeaders[i]?.toLowerCase() === 'connection') rawHeaders.splice(i, 2);
  }
  return String(value)
    .split(',')
    .some((option) => option.trim().toLowerCase() === 'close');
}
