/**
 * From an HTTP request to what PHP sees in `$_SERVER`: the meta-variables of RFC 3875, 4.1, and every variable that
 * nginx's stock `fastcgi_params` sets, under the same names and with the same values.
 * This folder: CGI, from HTTP facts to params and from PHP's output back to a head. Pure; it imports only the
 * errors.
 */
import { ArgumentError } from '../errors.ts';
import { addHeaders, knownHeaders, latin1, type ParamsDraft } from './headers.ts';
import { type HostPort, hostPort } from './host.ts';
import type { Script } from './script.ts';
import type { RequestTarget } from './target.ts';

/** A string goes out as UTF-8, a `Uint8Array` as it is. */
export type Params = Readonly<ParamsDraft>;

/** What is known of an HTTP request. */
export interface HttpFacts {
  /** Case matters: GET, POST, ... */
  readonly method: string;
  /** As in the request line: path and query, or a whole URL. Each char is one byte (latin1), as in node:http. */
  readonly url: string;
  /** Name and value; a name may come more than once. Each char is one byte (latin1), as in node:http. */
  readonly headers: Iterable<readonly [string, string]>;
  /** Default 'HTTP/1.1'. */
  readonly protocol?: string | undefined;
  readonly remote?: Endpoint | undefined;
  readonly local?: Endpoint | undefined;
  /** The request came over TLS: HTTPS=on and REQUEST_SCHEME=https. Default false. */
  readonly tls?: boolean | undefined;
  /** Bytes of the body where they are known better than from Content-Length: those of a chunked one, once counted. */
  readonly contentLength?: number | undefined;
}

/** One end of the client's connection. */
export interface Endpoint {
  readonly address: string;
  /** 0, or left out: nobody knows. */
  readonly port?: number | undefined;
}

/** Where the scripts are, and which one answers. */
export interface ScriptOptions {
  /** Absolute path of the document root as PHP-FPM sees it. */
  readonly root: string;
  /** Script of a path that ends with a slash. Default 'index.php'. */
  readonly index?: string | undefined;
  /** A segment that ends with one of these is the script, what follows its PATH_INFO. Default ['.php']. */
  readonly splitPath?: readonly string[] | undefined;
  /** Script (`/index.php`) of every path that names none; folders too. Default none. */
  readonly frontController?: string | undefined;
  /**
   * PHP-FPM's `pm.status_path` and `ping.path`: with `cgi.fix_pathinfo = 0` it answers a PATH_INFO that equals one of
   * them with its own page. Such a PATH_INFO goes out under a name that only PHP reads as PATH_INFO. Default
   * ['/status', '/ping'].
   */
  readonly fpmPages?: readonly string[] | undefined;
  /** Set last: they win over everything above, whatever a client sends. */
  readonly params?: Params | undefined;
}

/** The usual `pm.status_path` and `ping.path`. */
export const defaultFpmPages: readonly string[] = ['/status', '/ping'];

/** Makes the params of many requests to one site: holds what they share. */
export class ParamsBuilder {
  readonly #root: string;
  readonly #fpmPages: ReadonlySet<string>;
  readonly #headers = knownHeaders();
  /** The latest Host, and what is in it. */
  #host: string | Uint8Array | undefined = undefined;
  #known: HostPort = { name: '', port: '' };

  /** `root` as PHP-FPM sees it; a slash at its end is dropped. */
  constructor(root: string, fpmPages: ReadonlySet<string>) {
    this.#root = root.replace(/\/+$/, '');
    this.#fpmPages = fpmPages;
  }

  /**
   * As `buildParams`, for a script that is known. `mount` ('' or `/blog`, decoded) is the path at which the site's
   * root stands: SCRIPT_NAME begins with it, so that the links an application makes lead back to it.
   */
  build(http: HttpFacts, target: RequestTarget, script: Script, extra?: Params, mount = ''): Params {
    if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(http.method)) {
      const message = 'The method is not a token (RFC 9110, 9.1)';
      throw new ArgumentError('FCGI_ERR_INVALID_ARG', 'method', message);
    }
    const { scriptName, pathInfo } = script;
    const name = latin1(mount + scriptName);
    const params: ParamsDraft = {
      SCRIPT_FILENAME: below(this.#root, scriptName),
      QUERY_STRING: latin1(target.query),
      REQUEST_METHOD: http.method,
      SCRIPT_NAME: name,
      REQUEST_URI: latin1(target.uri),
      DOCUMENT_URI: pathInfo === '' ? name : latin1(mount + scriptName + pathInfo),
      DOCUMENT_ROOT: this.#root,
      SERVER_PROTOCOL: http.protocol ?? 'HTTP/1.1',
      REQUEST_SCHEME: http.tls ? 'https' : 'http',
      GATEWAY_INTERFACE: 'CGI/1.1',
      SERVER_SOFTWARE: 'fastcgi-pool',
      // php-cgi and FPM built with force-cgi-redirect refuse to run without it
      REDIRECT_STATUS: '200',
    };
    if (pathInfo !== '') params[this.#fpmPages.has(pathInfo) ? 'PATH INFO' : 'PATH_INFO'] = latin1(pathInfo);
    if (http.tls) params['HTTPS'] = 'on';
    if (http.remote) {
      params['REMOTE_ADDR'] = plainAddress(http.remote.address);
      if (http.remote.port) params['REMOTE_PORT'] = String(http.remote.port);
    }
    addHeaders(params, http.headers, this.#headers);
    // RFC 9112, 3.2.2: the host of a target that is a whole URL counts, whatever Host says
    if (target.authority !== '') params['HTTP_HOST'] = target.authority;
    const host = this.#hostIn(params['HTTP_HOST']);
    params['SERVER_NAME'] = host.name || (http.local ? plainAddress(http.local.address) : '');
    if (http.local) params['SERVER_ADDR'] = plainAddress(http.local.address);
    params['SERVER_PORT'] = http.local?.port
      ? String(http.local.port)
      : host.port || (http.tls ? '443' : '80');
    if (http.contentLength !== undefined) params['CONTENT_LENGTH'] = String(http.contentLength);
    return extra ? Object.assign(params, extra) : params;
  }

  #hostIn(header: string | Uint8Array | undefined): HostPort {
    if (header !== this.#host) {
      this.#known = hostPort(header);
      this.#host = header;
    }
    return this.#known;
  }
}

/** `root` is text, what follows it bytes. */
function below(root: string, path: string): string | Uint8Array {
  const bytes = latin1(path);
  return typeof bytes === 'string' ? root + bytes : Buffer.concat([Buffer.from(root), bytes]);
}

/** A socket that listens on both families says `::ffff:127.0.0.1`, which no allow-list of a PHP application knows. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}
