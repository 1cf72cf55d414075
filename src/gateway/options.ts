/** What a gateway can be told. */
import type { Params } from '../cgi/env.ts';
import type { EndInfo } from './reply/outcome.ts';
import type { ForwardedHeader } from './request/proxies.ts';
import type { FilesOptions } from './site/static/files-options.ts';

export type { EndInfo, FilesOptions, ForwardedHeader };

export interface ErrorPage {
  /** Default 'text/html; charset=utf-8'. */
  readonly contentType?: string | undefined;
  /** A string goes out as UTF-8. */
  readonly body: string | Uint8Array;
}

/** `Req` is the request as the server gives it: node's, or a `Request`. */
export interface GatewayOptions<Req> {
  /**
   * The document root here. A script runs only where it is a regular file whose real path is below it. It is looked at
   * by a synchronous stat for each request, and a realpath once a second: on a local disk that is far cheaper (2 us)
   * than the thread pool (50 us and more), but a network drive would stall the process. Requests that are read in the
   * same turn of the event loop share a look where the handler is its server's only listener.
   *
   * Without `root` (the files are on another host) nothing is looked at: a path that names a script is sent as it
   * is, all else to the front controller. PHP-FPM then refuses what does not exist and what
   * `security.limit_extensions` does not allow; nobody checks links out of the root, folders get no redirect, and
   * in `/uploads/evil.jpg/x.php` only `cgi.fix_pathinfo = 0` keeps PHP from running the picture.
   */
  readonly root?: string | undefined;
  /** The document root as PHP-FPM sees it, an absolute path. Default: `root`. One of both is needed. */
  readonly fpmRoot?: string | undefined;
  /**
   * Scripts to try for a folder, in order; a name that is no script is left to `next`, or sent. Default 'index.php',
   * and with `files` 'index.html' after it.
   */
  readonly index?: string | readonly string[] | undefined;
  /**
   * The script (`/index.php`) that gets every path at which there is neither a script nor another file. With `files`, a path in which
   * a name begins with a dot is not given to it but 404, there or not (`/wiki/.NET`; `/index.php/.NET` is). Default none.
   */
  readonly frontController?: string | undefined;
  /**
   * nginx's `try_files` in place of `frontController`: `['$uri', '$uri/', '$uri.php', '/index.php']` runs `/about.php` for
   * `/about`, and `/index.php` for what is left. Needs `root`. Default none.
   */
  readonly tryFiles?: readonly string[] | undefined;
  /**
   * Files below `root` are sent as they are, to GET and HEAD: with ranges, conditions and types, from memory where they
   * are small. A folder then gets its slash; one without an index is left to `next`, or is 403, as with nginx. Never sent: what begins
   * with a dot, may be source or a copy of it, or hold a secret (configuration, dumps, keys, logs). An object has
   * options of their own. Default false: they are left to `next`, but for source.
   */
  readonly files?: boolean | FilesOptions | undefined;
  /** How names of scripts end; the first such segment that exists is the script, the rest PATH_INFO. Default ['.php']. */
  readonly splitPath?: readonly string[] | undefined;
  /**
   * Folders outside `root` to which symbolic links in it may lead. Default none. A script is looked at here, but PHP is told its
   * name and follows the link itself, out of its realpath cache (120 s): who may turn links in `root` over while the site runs can
   * have a script run that a link led to before.
   */
  readonly allowSymlinksTo?: readonly string[] | undefined;
  /**
   * SCRIPT_FILENAME and DOCUMENT_ROOT hold the real path of `root`, looked at for each request: where `root` is a link to
   * a release, PHP's opcache then keeps releases apart. Not with an `fpmRoot` of its own. Default false.
   */
  readonly resolveRootSymlink?: boolean | undefined;
  /**
   * The path at which the site stands (`/blog`), where the framework has taken it off the URL and does not say so, as
   * Hono's `app.mount` does: SCRIPT_NAME and REQUEST_URI begin with it. A URL that still begins with it is taken to be
   * whole. Default: what connect, Express, Koa and Fastify tell, else the root.
   */
  readonly mount?: string | undefined;
  /**
   * What is done where a script's path is not in its plain form: `//admin/x.php`, `/./admin/x.php`, `/%61dmin/x.php` or
   * `/admin%2fx.php`, which lead to the same script as `/admin/x.php`, but past a guard that looks for `/admin`.
   * 'redirect' (308) sends GET and HEAD to the plain form and answers all else 400, 'refuse' answers 400, 'allow' runs the
   * script, for those who have no guard in front and need encoded slashes in PATH_INFO, say. Default 'redirect'.
   */
  readonly ambiguousPaths?: 'redirect' | 'refuse' | 'allow' | undefined;
  /**
   * Params set last, for all requests or made for each: they win over what a client sends. REMOTE_USER belongs here,
   * once somebody has checked who it is.
   */
  readonly params?: Params | ((request: Req) => Params) | undefined;
  /**
   * `params` may hold what PHP-FPM obeys rather than hands on: PHP_VALUE and PHP_ADMIN_VALUE (settings of php.ini),
   * REQUEST_BODY_FILE, PATH_TRANSLATED. Else such a param is an error, as one that a request had filled in would be a
   * way to run any code. PHP-FPM keeps the settings of one request for all later ones of that worker, whoever sends
   * them: give each of them with all requests, or say them in the pool of PHP-FPM. Default false.
   */
  readonly allowControlParams?: boolean | undefined;
  /**
   * Proxies in front: addresses, networks (`10.0.0.0/8`), `unix` for all that come by a unix socket. What such a proxy
   * writes into `forwardedHeaders` is what PHP sees as REMOTE_ADDR, HTTPS, REQUEST_SCHEME, HTTP_HOST, SERVER_NAME and
   * SERVER_PORT; from anybody else these headers are no more than HTTP_X_FORWARDED_*. Default: those that the framework
   * trusts (Express's `trust proxy`, Fastify's `trustProxy`, Koa's `proxy`), so that PHP sees whom your own routes see; in
   * node:http and with `fastcgi-pool/fetch` none. An empty list: none, whatever the framework says.
   */
  readonly trustedProxies?: readonly string[] | undefined;
  /**
   * Those headers that your proxies set or clear on every request: what they pass on as it came, a client may have
   * made up. `forwarded` (RFC 7239), or any of `x-forwarded-for`, `-proto`, `-host` and `-port`. `x-forwarded-host` counts
   * only where it is named here, also with a framework that trusts the proxy: many proxies pass it on as it came, and
   * applications write it into the links of their mails.
   * Default ['x-forwarded-for', 'x-forwarded-proto'].
   */
  readonly forwardedHeaders?: readonly ForwardedHeader[] | undefined;
  /**
   * PHP-FPM's `pm.status_path` and `ping.path`, which nobody may reach through here: PHP-FPM answers a SCRIPT_NAME that
   * equals one of them itself, whatever file is asked for, and with `cgi.fix_pathinfo = 0` such a PATH_INFO. A script of
   * that name is answered 404; such a PATH_INFO reaches the script.
   * Default ['/status', '/ping'].
   */
  readonly fpmPages?: readonly string[] | undefined;
  /** Bytes; a larger request body is answered 413. Default 134217728 (128 MiB); 0: no limit. */
  readonly maxBodySize?: number | undefined;
  /**
   * A request body is read to its end before PHP is asked: a client that sends slowly holds no worker, one that leaves
   * in the middle is never run, and what is small can be sent again. False: a body with a Content-Length streams.
   * Default true.
   */
  readonly requestBuffering?: boolean | undefined;
  /** Bytes of a request body to keep in memory while it is read; what is longer goes to a file. Default 65536. */
  readonly spoolMemory?: number | undefined;
  /**
   * Folder of these files, and of those of `maxTempFileSize`: they have no name there, and vanish with the request or reply.
   * Default: the system's.
   */
  readonly spoolFolder?: string | undefined;
  /** Milliseconds that a client may send nothing of a body it has promised, then 408. Default 60000; 0: no limit. */
  readonly bodyReadTimeout?: number | undefined;
  /**
   * Bytes of a reply that are taken from PHP before its client has read them, so that the worker is free; beyond that
   * PHP waits. Streams (`X-Accel-Buffering: no`, `text/event-stream`) and false: little more than what is on its way.
   * Default 1048576 (1 MiB).
   */
  readonly responseBuffering?: number | false | undefined;
  /** Bytes that all replies together may hold so; each has 64 KiB besides. Default 67108864 (64 MiB). */
  readonly responseBufferTotal?: number | undefined;
  /**
   * Bytes of a reply that go to a file in `spoolFolder` where memory takes no more (`responseBuffering`,
   * `responseBufferTotal`), so that the worker is free while a client still reads a long page; beyond that PHP waits until
   * the client has caught up. Streams, and all with `responseBuffering: false`, never go to one. Where the disk takes
   * nothing PHP waits as well, and `onError` is told. The system's folder is memory on many machines (a tmpfs at `/tmp`): name
   * another one then. Default 0: none.
   */
  readonly maxTempFileSize?: number | undefined;
  /**
   * Milliseconds that a client may take nothing of a reply or file that is there for it, then its connection is closed.
   * Default 60000; 0: no limit. By HTTP/2 it is the stream that is closed, and where others go on beside it there is this time
   * for each 64 KiB that wait. (With `fastcgi-pool/fetch`, that nothing is read of the body of the `Response`, which then
   * errors.)
   */
  readonly sendTimeout?: number | undefined;
  /**
   * What is done where a client leaves before its reply is out: 'close' closes the connection to PHP-FPM, so that a script
   * that has begun to answer ends with its next output. One that has not keeps its worker busy in any case: its connection is
   * kept for as long as it usually takes, and used again if it ends in time. One that still waits for a connection is not run.
   * 'finish' lets all run to their end. A site that calls itself without waiting for the answer, as WordPress does for its
   * tasks (`wp-cron.php`), needs it where all connections may be busy for a second: they are never run else. Default 'close'.
   */
  readonly onClientAbort?: 'close' | 'finish' | undefined;
  /**
   * Files that PHP hands over by `X-Accel-Redirect: /protected/report.pdf`: paths of the site, with a slash at the end,
   * and the folders their files lie in, such as `{ '/protected/': '/srv/files' }`. PHP's headers go with the file, its
   * body does not; ranges and conditions are answered. Default none: the header is dropped.
   */
  readonly xAccelRedirect?: Readonly<Record<string, string>> | undefined;
  /** Folders below which a file must lie that PHP hands over by `X-Sendfile: /srv/files/report.pdf`. Default none. */
  readonly xSendfile?: readonly string[] | undefined;
  /**
   * Makes the page for a status from 400 on that the gateway answers by itself; null: its own. `error` is why, for the log
   * rather than for the client (undefined: a reply of PHP's, or nothing is wrong but the path). What it throws, and what is
   * no page, goes to `onError`. Default: a line of plain text.
   */
  readonly errorPage?: ((statusCode: number, request: Req, error: unknown) => ErrorPage | null) | undefined;
  /** PHP's replies with a status from 400 on get such a page, too, unless it is null. Default false. */
  readonly interceptErrors?: boolean | undefined;
  /**
   * Why a request was answered with an error of ours, or cut short: for the log. The client is not told. `statusCode`: what
   * it was answered, or would have been. Also told is what PHP's answer hides: a script that PHP-FPM does not find
   * (FCGI_ERR_SCRIPT_NOT_FOUND). Default: a process warning, once a minute for each cause, of what is not a client's fault.
   */
  readonly onError?: ((error: unknown, request: Req, statusCode: number) => void) | undefined;
  /** Told once of each request that was given to PHP, when it has ended: status, attempts, whether it ran, hint, and so on. */
  readonly onEnd?: ((info: EndInfo, request: Req) => void) | undefined;
  /** What PHP writes to STDERR, as it comes. */
  readonly onStderr?: ((chunk: Uint8Array, request: Req) => void) | undefined;
}
