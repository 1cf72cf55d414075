/** `--compress`: gzip and brotli by the middleware that Express applications have. */
import type { NodeResponse } from '../../gateway/node.ts';
import type { Handler } from './handler.ts';

export async function compressed(handler: Handler): Promise<Handler> {
  const [{ default: compression }, { default: onHeaders }] = await Promise.all([
    import('compression'),
    import('on-headers'),
  ]);
  const compress: unknown = compression({
    // the place of a part is one in what is sent uncompressed
    filter: (req, res) => res.statusCode !== 206 && compression.filter(req, res),
  });
  if (typeof compress !== 'function') throw new TypeError('compression is no middleware');
  return (req, res) => {
    let encoded = false;
    // the last to come is the first to be told: the second of these before the middleware, the first behind it
    onHeaders(res, () => {
      if (!encoded && res.hasHeader('Content-Encoding')) sayCompressed(res);
    });
    compress(req, res, () => {
      onHeaders(res, () => {
        encoded = res.hasHeader('Content-Encoding');
      });
      handler(req, res);
    });
  };
}

/** As nginx does: other bytes need another ETag, or a weak one (RFC 9110, 8.8.3.3), and parts of them nobody can have. */
function sayCompressed(res: NodeResponse): void {
  const tag = res.getHeader('ETag');
  if (typeof tag === 'string' && tag.startsWith('"')) res.setHeader('ETag', `W/${tag}`);
  res.removeHeader('Accept-Ranges');
}
