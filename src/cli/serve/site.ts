/** One HTTP request of the site: to a file, to PHP, or a short answer of our own. */
import type { Stats } from 'node:fs';
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { basename, dirname, extname } from 'node:path';
import send from 'send';
import { lookForScript, routeOf, type Site } from './route.ts';

export type Handler = (req: IncomingMessage, res: ServerResponse) => void;

/** `php` answers for scripts and for the front controller; `failed` hears of what should never happen. */
export function siteHandler(site: Site, php: Handler, failed: (error: unknown) => void): Handler {
  return (req, res) => {
    respond(req, res, site, php).catch((error: unknown) => {
      failed(error);
      if (res.headersSent) res.destroy();
      else answer(res, 500);
    });
  };
}

async function respond(req: IncomingMessage, res: ServerResponse, site: Site, php: Handler): Promise<void> {
  const route = await routeOf(req.url ?? '/', site);
  switch (route.to) {
    case 'php':
      res.once('close', () => {
        if (res.statusCode === 404) void lookForScript(req.url ?? '/', site);
      });
      return php(req, res);
    case 'redirect':
      return answer(res, 301, { location: route.location });
    case 'status':
      return answer(res, route.status);
    case 'file':
      if (req.method !== 'GET' && req.method !== 'HEAD') return answer(res, 405, { allow: 'GET, HEAD' });
      return sendFile(req, res, route.path, route.name);
  }
}

function sendFile(req: IncomingMessage, res: ServerResponse, path: string, name: string): void {
  const file = send(req, encodeURIComponent(basename(path)), {
    root: dirname(path),
    // It has been decided that this very file is sent.
    dotfiles: 'allow',
    index: false,
    // how long a file may be kept is for the site to say; nginx and Apache say nothing either
    cacheControl: false,
  });
  file.once('file', (_path: string, { size }: Stats) => {
    const suffix = /^bytes=-(\d+)$/.exec(req.headers.range ?? '')?.[1];
    // the last 500 of 200 bytes are all of them (RFC 9110, 14.1.2); send would answer 416
    if (Number(suffix) > size && size > 0) req.headers.range = 'bytes=0-';
  });
  // A link `logo.svg` to `3f2a` is an SVG: the type is that of the name that was asked for.
  if (!['', extname(path)].includes(extname(name))) file.once('headers', () => file.type(name));
  file.pipe(res);
}

/** A few words in plain text: nothing of the request is repeated, so there is nothing to escape. */
export function answer(res: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  const text = `${status} ${STATUS_CODES[status] ?? ''}\n`;
  res.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': text.length,
    ...headers,
  });
  res.end(text);
}
