/** Whether a text file may be said to be UTF-8: what the header says wins over what the file says of itself. Pure. */

/** Bytes: as far as a browser looks for a page's own word (HTML, 13.2.3.2). */
const prescan = 1024;

const otherCharset = /<meta\s[^>]*?\bcharset\s*=\s*["']?\s*(?!utf-?8\b)[\w:-]/i;

/**
 * `start`: the bytes it begins with. False as well for a page of plain ASCII that names another charset: its forms are answered in
 * that one.
 */
export function isUtf8(start: Uint8Array, isPage: boolean): boolean {
  try {
    // it may end within a char
    new TextDecoder('utf-8', { fatal: true }).decode(start, { stream: true });
  } catch {
    return false;
  }
  return !isPage || !otherCharset.test(Buffer.from(start.subarray(0, prescan)).toString('latin1'));
}
