/** How the body of a request was coded for the way here: servers take off `chunked`, and nothing else. */

/**
 * What is to be answered to a request with this Transfer-Encoding; null: it is served. Where chunked is not the last coding nobody
 * can know where the body ends (RFC 9112, 6.3), and a proxy in front may see another request. Of any other coding (6.1) PHP would
 * have the coded bytes, and nothing that tells it so.
 */
export function codingRefusal(coding: string): 400 | 501 | null {
  const codings = coding
    .split(',')
    .map((one) => one.replace(/^[\t ]+|[\t ]+$/g, '').toLowerCase())
    .filter((one) => one !== '');
  if (codings.at(-1) !== 'chunked') return 400;
  return codings.length === 1 ? null : 501;
}
