/** How the body of a request was coded for the way here: servers take off `chunked`, and nothing else. */

/**
 * What is to be answered to a request with this Transfer-Encoding; null: it is served. Where chunked is not the last coding nobody
 * can know where the body ends (RFC 9112, 6.3), and a proxy in front may see another request. Of any other coding (6.1) PHP would
 * have the coded bytes, and nothing that tells it so.
 */
export function codingRefusal(coding: string): 400 | 501 | null {
  const codings = coding
    .split(',')
    .map((one) => withoutBlanks(one).toLowerCase())
    .filter((one) => one !== '');
  if (codings.at(-1) !== 'chunked') return 400;
  return codings.length === 1 ? null : 501;
}

/** By hand: an expression that looks for blanks at the end begins anew at each blank in the middle. */
function withoutBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text, start)) start++;
  while (end > start && isBlank(text, end - 1)) end--;
  return text.slice(start, end);
}

function isBlank(text: string, at: number): boolean {
  return text[at] === ' ' || text[at] === '\t';
}
