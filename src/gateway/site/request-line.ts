/** What was asked for, and where in the framework's tree of handlers: which part of the path is the mount point. */

/** In the words of connect and Express. */
export interface RequestLine {
  readonly method: string;
  /** What is left for the site: without the mount point, and as a middleware may have rewritten it. */
  readonly url: string;
  /** All of it, as the client has sent it. */
  readonly originalUrl: string;
  /** The mount point as it stands in `originalUrl`, where the framework tells; '' is the root. */
  readonly baseUrl?: string | undefined;
}

interface ServerRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
}

/** Of a request of node's, connect's or Express'. */
export function requestLine(request: ServerRequest): RequestLine {
  const { method = '', url: left = '' } = request;
  // polka leaves no slash where it has taken the mount point off `/blog?x`; no client can send such a target
  const url = left.startsWith('?') ? `/${left}` : left;
  const originalUrl = 'originalUrl' in request ? String(request.originalUrl) : url;
  const baseUrl = 'baseUrl' in request ? request.baseUrl : undefined;
  if (typeof baseUrl !== 'string') return { method, url, originalUrl };
  const mount = originalUrl.startsWith(baseUrl)
    ? beforeWildcard(originalUrl, 'params' in request ? request.params : undefined)
    : null;
  // `app.use('/*splat', site)` matches all of the path, which Express takes for the mount point
  const isSwallowed = mount !== null && mount !== baseUrl && /^\/(?:\?|$)/.test(url);
  if (!isSwallowed) return { method, url, originalUrl, baseUrl };
  return { method, url: originalUrl.slice(mount.length) || '/', originalUrl, baseUrl: mount };
}

/**
 * What stands in front of what a wildcard has matched; null: none has, up to the end of the path. Express 5 gives it as a list of segments,
 * with or without the empty one behind the last slash; Express 4 as `params[0]`, with that slash, which tells it from the group of a
 * pattern (`/(a|b)/`), and it may begin within a segment.
 */
function beforeWildcard(originalUrl: string, params: unknown): string | null {
  if (typeof params !== 'object' || params === null) return null;
  const [path = ''] = originalUrl.split('?', 1);
  const list = Object.values(params).find((value) => Array.isArray(value));
  if (list) return before(path.replace(/\/$/, ''), list.at(-1) === '' ? list.slice(0, -1) : list);
  const first: unknown = '0' in params ? params[0] : undefined;
  return first ? before(path, String(first).replace(/^\//, '').split('/')) : null;
}

function before(path: string, segments: readonly string[]): string | null {
  const parts = path.split('/');
  const last = parts.splice(Math.max(parts.length - segments.length, 1)).map(decoded);
  return last.join('/').endsWith(segments.join('/')) ? parts.join('/') : null;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
