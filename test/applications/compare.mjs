/** What differs between two answers, once what must differ is masked. */
import { HOST } from './client.mjs';

/** Of the connection or of the server's own, not of the application. */
const ignored = new Set([
  'date',
  'server',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'etag',
]);

/** Of an error page: nginx's, Express' and ours are worded each in its own way. */
const ownPage = new Set(['content-type', 'content-security-policy', 'x-content-type-options']);

/** Lines for people; none: they are the same. */
export function differences(right, other) {
  if (!other) return ['no answer'];
  const found = [];
  const say = (what, a, b) => {
    if (a !== b) found.push(`${what}: nginx ${show(a)}, here ${show(b)}`);
  };
  say('status', right.status, other.status);
  // a page of nginx's own: each server has its words for it
  const isOwn = /<hr><center>nginx/.test(right.body);
  for (const name of new Set([...Object.keys(right.headers), ...Object.keys(other.headers)])) {
    if (isOwn && ownPage.has(name)) continue;
    // nginx says it with the whole file, not with a part
    if (right.status === 206 && name === 'accept-ranges') continue;
    if (!ignored.has(name)) say(name, header(right, name), header(other, name));
  }
  say('has an ETag', 'etag' in right.headers, 'etag' in other.headers);
  if (!isOwn) {
    const [a, b] = [masked(right), masked(other)];
    if (a !== b) {
      let at = 0;
      while (a[at] === b[at]) at += 1;
      say(
        `body at ${at} of ${a.length}`,
        a.slice(Math.max(0, at - 60), at + 80),
        b.slice(Math.max(0, at - 60), at + 80),
      );
    }
  }
  return found;
}

function header(answer, name) {
  const value = answer.headers[name];
  if (value === undefined) return undefined;
  const text = mask(String(value), answer.port);
  // nginx says no charset of files unless it is told to, and has the old name for JavaScript
  if (name === 'content-type') {
    return text.replace(/;\s*charset=utf-8/i, '').replace('application/javascript', 'text/javascript');
  }
  if (name === 'location') return text.replace(new RegExp(`^https?://${HOST}`), '');
  return text;
}

function masked({ body, port }) {
  return mask(body, port);
}

function mask(text, port) {
  return (
    text
      .replaceAll(`:${port}`, '')
      // DokuWiki's login, under a name that has the port in it
      .replace(/\bDW[0-9a-f]{32}=[^;]*/g, 'DW=(token)')
      .replaceAll(`%3A${port}`, '')
      .replace(
        /\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d[ -]\w{3}[ -]\d{4} \d\d:\d\d:\d\d (GMT|\+0000)/g,
        '(date)',
      )
      .replace(/\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(:\d\d)?(\+00:00|Z)?/g, '(date)')
      .replace(/\b1[789]\d{8}\b/g, '(time)')
      .replace(/\b[0-9a-f]{10,}\b/g, '(token)')
      // WordPress' proposal of a password
      .replace(/data-pw="[^"]*"/g, 'data-pw=(token)')
      .replace(/\btok=[0-9a-f]{6}\b/g, 'tok=(token)')
      .replace(
        /((?:nonce|token|PHPSESSID|DokuWiki|wordpress_\w+|DW\w+)["']?\s*(?:=|:|%3D)["']?)[\w%.-]+/gi,
        '$1(token)',
      )
  );
}

function show(value) {
  return JSON.stringify(value)?.slice(0, 300);
}
