/** The headers of a request as they came, with what a middleware in front has taken away, changed or added. */

type Headers = Readonly<Record<string, unknown>>;

/**
 * Name and value as on the wire where `headers`, node's object of them, still says so: repeated ones and their order are
 * kept. A guard that deletes a header a client could have made up, or sets one, does so in `headers` alone. A request
 * that was made up for a handler (those of serverless-http) may have no other.
 */
export function currentHeaders(rawHeaders: readonly string[], headers: Headers): [string, string][] {
  const list: [string, string][] = [];
  let at = 0;
  // node fills its object in the order of the list
  for (const key in headers) {
    const name = rawHeaders[at] ?? '';
    const value = rawHeaders[at + 1] ?? '';
    if (headers[key] !== value || name.toLowerCase() !== key) return reconciled(rawHeaders, headers);
    list.push([name, value]);
    at += 2;
  }
  return at === rawHeaders.length ? list : reconciled(rawHeaders, headers);
}

function reconciled(rawHeaders: readonly string[], headers: Headers): [string, string][] {
  const list: [string, string][] = [];
  const came = new Map<string, string[]>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const value = rawHeaders[i + 1] ?? '';
    list.push([name, value]);
    const key = name.toLowerCase();
    const values = came.get(key);
    if (values) values.push(value);
    else came.set(key, [value]);
  }
  // once for each name: one may come ten thousand times
  const asCame = new Set<string>();
  for (const [key, values] of came) {
    if (isSame(values, headers[key])) asCame.add(key);
  }
  const isAsCame = (key: string): boolean => asCame.has(key);
  const kept = list.filter(([name]) => isAsCame(name.toLowerCase()));
  for (const [key, value] of Object.entries(headers)) {
    if (value === undefined || isAsCame(key)) continue;
    for (const one of Array.isArray(value) ? value : [value]) kept.push([key, String(one)]);
  }
  return kept;
}

/** Node keeps the first of some, joins others, and has a list of Set-Cookie. */
function isSame(came: readonly string[], now: unknown): boolean {
  if (came.length === 0) return false;
  if (Array.isArray(now)) return now.length === came.length && came.every((value, i) => value === now[i]);
  return now === came[0] || now === came.join(', ') || now === came.join('; ');
}
