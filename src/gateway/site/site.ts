/**
 * From a URL to what is to be done: the one place where a path is judged, whatever server the request came by.
 * This folder: the one judge of a path. It imports cgi, checks and settings, and sends nothing; static/ sends
 * files.
 */
import { type HttpFacts, type Params, ParamsBuilder } from '../../cgi/env.ts';
import { copied } from '../../cgi/names.ts';
import { isPlainName, isPlainPath, plainForm, plainSearch } from '../../cgi/plain-path.ts';
import type { Script } from '../../cgi/script.ts';
import { type RequestTarget, withQuery } from '../../cgi/target.ts';
import { ArgumentError, errorCode } from '../../errors.ts';
import type { Settings } from '../settings.ts';
import { type Choice, type Files, type FoundFile, filesOf } from './files.ts';
import { type Place, placeOf } from './place.ts';
import type { AmbiguousPaths } from './place-options.ts';
import type { RequestLine } from './request-line.ts';
import { RootLink } from './root-link.ts';
import { type SiteFile, SiteFiles } from './static/site-files.ts';

export type { RequestLine };

/** A script is to answer. */
export interface RunScript {
  readonly kind: 'run';
  readonly script: Script;
  /** As the client has sent it, but for the query, which is that of a rewritten URL. */
  readonly target: RequestTarget;
  /** '' or the decoded path at which the site is mounted. */
  readonly mount: string;
}

export type Plan =
  | RunScript
  | SendFile
  /** Not PHP's: `next`, or what is to be answered where there is none. */
  | { readonly kind: 'pass'; readonly otherwise: Redirect | Answer }
  | Redirect
  | Answer;

/** To be sent as it is: GET or HEAD. */
interface SendFile {
  readonly kind: 'file';
  readonly file: FoundFile;
}

interface Redirect {
  readonly kind: 'redirect';
  readonly statusCode: 301 | 308;
  readonly location: string;
}

export interface Answer {
  readonly kind: 'answer';
  readonly statusCode: number;
  /** For `onError`; undefined: there is nothing to say. */
  readonly reason: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How often a file may be replaced while it is opened. */
const mostReplaced = 20;

/** Entries, and chars of each. */
const mostKnown = 1024;
const longestKnown = 1024;

const notFound: Answer = { kind: 'answer', statusCode: 404, reason: undefined };
const pass: Plan = { kind: 'pass', otherwise: notFound };
const unlisted: Answer = { kind: 'answer', statusCode: 403, reason: undefined };

interface Known {
  /** What the site is asked for. */
  readonly path: string;
  /** What the client asked for, without a query. */
  readonly target: RequestTarget;
  readonly choice: Choice;
  readonly plan: SendFile | RunScript;
}

export class Site {
  readonly #files: Files;
  /** Null: none is sent. */
  readonly #sent: SiteFiles | null;
  #builder: ParamsBuilder;
  /** Null: PHP is told the root as it is configured. */
  readonly #link: RootLink | null;
  readonly #fpmPages: ReadonlySet<string>;
  readonly #mount: string;
  readonly #ambiguousPaths: AmbiguousPaths;
  /** By the URL without its query, where nobody has changed it: a plan holds as long as the same is chosen for its path. */
  readonly #known = new Map<string, Known>();

  constructor(settings: Settings<never>) {
    this.#files = filesOf(settings);
    this.#sent = settings.files && new SiteFiles(this.#files, settings.files, settings.mediaTypes);
    this.#fpmPages = settings.fpmPages;
    this.#mount = settings.mount;
    this.#ambiguousPaths = settings.ambiguousPaths;
    const { root, fpmRoot, fpmPages, resolveRootSymlink } = settings;
    this.#builder = new ParamsBuilder(fpmRoot, fpmPages);
    this.#link = resolveRootSymlink && root !== null ? new RootLink(root) : null;
  }

  /**
   * `isDirect`: it comes straight from the server, and nobody has had it in hand who may have made a file for it. Then
   * what was seen for another request in this turn of the event loop is good enough.
   */
  plan(line: RequestLine, isDirect = false): Plan {
    if (!isDirect) this.#files.lookAnew();
    if (line.method !== 'GET') {
      // it would show a script's cookies to whatever runs in a page; nginx and Apache do not pass it on either
      if (line.method === 'TRACE') return { kind: 'answer', statusCode: 405, reason: undefined };
      if (/[a-z]/.test(line.method)) return badMethod(line.method);
    }
    const before = this.#knownPlan(line);
    if (before) return before;
    if (namesMore(line)) return badTarget(line.originalUrl, 'a request has no fragment');
    const place = placeOf(line, this.#mount);
    if ('refused' in place) return badTarget(place.url, place.refused);
    const { whole, target, mount, isRewritten } = place;

    const choice = this.#files.choose(target.path);
    if (choice.kind === 'pass') return pass;
    if (choice.kind === 'unlisted') {
      return { kind: 'pass', otherwise: whole.path.endsWith('/') ? unlisted : withSlash(whole) };
    }
    if (choice.kind === 'refuse') {
      return { kind: 'answer', statusCode: choice.statusCode, reason: choice.reason };
    }
    // at `/blog` the mounted site sees `/`, but a browser would resolve its relative links against the folder above
    const atBareMount = target.path === '/' && !isRewritten && !whole.path.endsWith('/');
    if (choice.kind === 'folder' || (atBareMount && nameOf(choice) !== whole.path)) {
      return withSlash(whole);
    }
    if (this.#ambiguousPaths !== 'allow' && isAmbiguous(line, place, choice)) {
      return this.#plainly(line.method, whole);
    }
    if (choice.kind === 'file') {
      const plan: SendFile = { kind: 'file', file: choice.file };
      this.#remember(line, place, choice, plan);
      return sendable(line.method, plan);
    }
    // to PHP-FPM the name alone counts
    if (this.#fpmPages.has(mount + choice.script.scriptName)) return notFound;
    const asked = isRewritten ? { ...whole, query: target.query } : whole;
    const plan: RunScript = { kind: 'run', script: choice.script, target: asked, mount };
    this.#remember(line, place, choice, plan);
    return plan;
  }

  #knownPlan(line: RequestLine): Plan | null {
    const { url } = line;
    const mark = url.indexOf('?');
    const known = this.#known.get(mark === -1 ? url : url.slice(0, mark));
    if (!known || !isUnchanged(line)) return null;
    const target = mark === -1 ? known.target : withQuery(known.target, url, mark);
    if (target === null || this.#files.choose(known.path) !== known.choice) return null;
    const { plan } = known;
    if (plan.kind === 'file') return sendable(line.method, plan);
    return target === known.target ? plan : { ...plan, target };
  }

  #remember(line: RequestLine, place: Place, choice: Choice, plan: Known['plan']): void {
    const { uri, authority } = place.whole;
    // a whole URL and one with a fragment have another target than their own text
    if (!isUnchanged(line) || line.url !== uri) return;
    const mark = uri.indexOf('?');
    const bare = copied(mark === -1 ? uri : uri.slice(0, mark));
    if (bare.length > longestKnown) return;
    const path = copied(place.whole.path);
    const target: RequestTarget = { uri: bare, query: '', path, authority };
    const known = plan.kind === 'run' ? { ...plan, target } : plan;
    if (this.#known.size >= mostKnown) this.#known.clear();
    this.#known.set(bare, {
      path: place.target === place.whole ? path : copied(place.target.path),
      target,
      choice,
      plan: known,
    });
  }

  /**
   * Gives `send` what is to be sent of a file; it throws only where nothing was sent. A file that was replaced since it
   * was found is found again: whoever puts new ones in place by a rename leaves no moment in which there is none. So is one
   * whose path was another release's, which is gone: releases may share what has not changed (`rsync --link-dest`).
   *
   * @throws an error of the file system, where it may not be read or has gone.
   */
  send<T>(found: FoundFile, acceptEncoding: string | undefined, send: (file: SiteFile) => T): T {
    if (!this.#sent) throw new TypeError('No files are sent');
    let latest = found;
    for (let left = mostReplaced; ; left--) {
      try {
        return send(this.#sent.take(latest, acceptEncoding));
      } catch (error) {
        if (left === 0 || !hasMoved(error)) throw error;
        this.#files.lookAnew(true);
        const choice = this.#files.choose(found.name);
        if (choice.kind !== 'file') throw error;
        latest = choice.file;
      }
    }
  }

  /** @throws ArgumentError as `buildParams`. */
  params(http: HttpFacts, plan: RunScript, extra: Params | undefined): Params {
    const moved = this.#link?.moved();
    if (moved) this.#builder = new ParamsBuilder(moved, this.#fpmPages);
    return this.#builder.build(http, plan.target, plan.script, extra, plan.mount);
  }

  /** To the one spelling that whoever stands guard in front knows. What has a body cannot be sent on. */
  #plainly(method: string, whole: RequestTarget): Plan {
    if (this.#ambiguousPaths === 'redirect' && (method === 'GET' || method === 'HEAD')) {
      return redirect(308, plainForm(whole.path) + plainSearch(whole.query));
    }
    return badTarget(whole.uri, 'its path is not in its plain form (see the option ambiguousPaths)');
  }
}

/** A `ReplacedError` among them. */
function hasMoved(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function withSlash({ path, query }: RequestTarget): Redirect {
  return redirect(301, `${plainForm(path)}/${plainSearch(query)}`);
}

function redirect(statusCode: 301 | 308, location: string): Redirect {
  return { kind: 'redirect', statusCode, location };
}

/** By no mount point and no rewriting middleware. */
function isUnchanged({ url, originalUrl, baseUrl }: RequestLine): boolean {
  return url === originalUrl && !baseUrl;
}

/**
 * A fragment is taken off where that does no harm. But whoever sends `DELETE /reports/#7` has not escaped a name, and without
 * the rest it would be the folder (RFC 9112, 3.2). A whole URL may be that of a `Request`, which never sends its own.
 */
function namesMore({ method, originalUrl }: RequestLine): boolean {
  return method !== 'GET' && method !== 'HEAD' && originalUrl.startsWith('/') && originalUrl.includes('#');
}

function sendable(method: string, plan: SendFile): Plan {
  if (method === 'GET' || method === 'HEAD') return plan;
  return { kind: 'answer', statusCode: 405, reason: undefined, headers: { Allow: 'GET, HEAD' } };
}

/** Of the script or the file. */
function nameOf(choice: Choice & { kind: 'run' | 'file' }): string {
  return choice.kind === 'run' ? choice.script.scriptName : choice.file.name;
}

/** A rewritten URL is the application's own: what the client has sent is judged, and no file has that name. */
function isAmbiguous(line: RequestLine, { isRewritten, target }: Place, choice: Choice): boolean {
  if (!isPlainPath(pathIn(line.originalUrl))) return true;
  if (isRewritten || (choice.kind !== 'run' && choice.kind !== 'file')) return false;
  const scriptName = nameOf(choice);
  // else a front controller, to which the path is no name of a file, or the index of a folder
  if (target.path.startsWith(scriptName)) return !isPlainName(pathIn(line.url), segmentsOf(scriptName));
  return scriptName.startsWith(target.path) && !isPlainName(pathIn(line.url), segmentsOf(target.path));
}

function pathIn(url: string): string {
  const mark = url.indexOf('?');
  const path = mark === -1 ? url : url.slice(0, mark);
  return path.startsWith('/') ? path : path.replace(/^https?:\/\/[^/]*/i, '');
}

function segmentsOf(path: string): number {
  return path.split('/').length - 1;
}

/**
 * `post` is another method than POST, and nginx refuses it. Frameworks of PHP make capitals of it, so it would be a POST that
 * nobody in front has checked as one.
 */
function badMethod(method: string): Plan {
  return badRequest('method', `The method ${JSON.stringify(method.slice(0, 200))} is in small letters`);
}

function badTarget(url: string, refused: string): Plan {
  return badRequest('url', `The URL ${JSON.stringify(url.slice(0, 200))} cannot be served: ${refused}`);
}

function badRequest(what: 'method' | 'url', message: string): Plan {
  const reason = new ArgumentError('FCGI_ERR_INVALID_ARG', what, message);
  return { kind: 'answer', statusCode: 400, reason };
}
