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
  const mount = withoutWildcard(baseUrl, 'params' in request ? request.params : undefined);
  // `app.use('/*splat', site)` matches all of the path, which Express takes for the mount point
  const isSwallowed = mount !== baseUrl && /^\/(?:\?|$)/.test(url) && originalUrl.startsWith(baseUrl);
  if (!isSwallowed) return { method, url, originalUrl, baseUrl };
  return { method, url: originalUrl.slice(mount.length) || '/', originalUrl, baseUrl: mount };
}

/** Express 5 gives what a wildcard matched as a list of segments, Express 4 as `params[0]`, which may begin within a segment. */
function withoutWildcard(baseUrl: string, params: unknown): string {
  if (typeof params !== 'object' || params === null) return baseUrl;
  const values: unknown[] = Object.values(params);
  const first: unknown = '0' in params ? params[0] : undefined;
  const segments =
    values.find((value) => Array.isArray(value)) ??
    (first ? String(first).replace(/^\//, '').split('/') : []);
  if (!Array.isArray(segments)) return baseUrl;
  const parts = baseUrl.split('/');
  const last = parts.splice(Math.max(parts.length - segments.length, 1)).map(decoded);
  return last.join('/').endsWith(segments.join('/')) ? parts.join('/') : baseUrl;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
