/** From a URL to what is to be done: the one place where a path is judged, whatever server the request came by. */
import { type HttpFacts, type Params, ParamsBuilder } from '../../cgi/env.ts';
import type { Script } from '../../cgi/script.ts';
import { parseTarget, type Target } from '../../cgi/target.ts';
import { ArgumentError } from '../../errors.ts';
import type { Settings } from '../settings.ts';
import { type Files, filesOf } from './files.ts';
import { RootLink } from './root-link.ts';

/** A script is to answer. */
export interface RunScript {
  readonly kind: 'run';
  readonly script: Script;
  /** Of the whole URL; its path is not what the script was found by where the site is mounted. */
  readonly target: Target;
  /** '' or the decoded path at which the site is mounted. */
  readonly mount: string;
}

export type Plan =
  | RunScript
  | { readonly kind: 'redirect'; readonly location: string }
  /** Not PHP's: `next`, or 404. */
  | { readonly kind: 'pass' }
  | { readonly kind: 'answer'; readonly statusCode: number; readonly reason: unknown };

/** Where a request stands, in the words of connect: `url` is what follows the mount point, `originalUrl` all of it. */
export interface RequestLine {
  readonly method: string;
  readonly url: string;
  readonly originalUrl: string;
}

const pass: Plan = { kind: 'pass' };

export class Site {
  readonly #files: Files;
  #builder: ParamsBuilder;
  /** Null: PHP is told the root as it is configured. */
  readonly #link: RootLink | null;
  readonly #fpmPages: ReadonlySet<string>;

  constructor(settings: Settings<never>) {
    this.#files = filesOf(settings);
    this.#fpmPages = settings.fpmPages;
    const { root, fpmRoot, resolveRootSymlink } = settings;
    this.#builder = new ParamsBuilder(fpmRoot);
    this.#link = resolveRootSymlink && root !== null ? new RootLink(root) : null;
  }

  plan(line: RequestLine): Plan {
    // TRACE would show a script's cookies to whatever runs in a page; nginx and Apache do not pass it on either
    if (line.method === 'TRACE') return { kind: 'answer', statusCode: 405, reason: undefined };
    const target = parseTarget(line.url);
    if ('refused' in target) return badTarget(line.url, target.refused);
    const whole = line.originalUrl === line.url ? target : parseTarget(line.originalUrl);
    if ('refused' in whole) return badTarget(line.originalUrl, whole.refused);
    const mount = mountOf(whole.path, target.path);

    const choice = this.#files.choose(target.path);
    if (choice.kind === 'pass') return pass;
    if (choice.kind === 'refuse') return { kind: 'answer', statusCode: 404, reason: undefined };
    // at `/blog` the mounted site sees `/`, but a browser would resolve its relative links against the folder above
    const atBareMount = target.path === '/' && !whole.path.endsWith('/');
    if (choice.kind === 'folder' || (atBareMount && choice.script.scriptName !== whole.path)) {
      return { kind: 'redirect', location: withSlash(whole) };
    }
    // to PHP-FPM the name alone counts
    if (this.#fpmPages.has(mount + choice.script.scriptName)) {
      return { kind: 'answer', statusCode: 404, reason: undefined };
    }
    return { kind: 'run', script: choice.script, target: whole, mount };
  }

  /** @throws ArgumentError as `buildParams`. */
  params(http: HttpFacts, plan: RunScript, extra: Params | undefined): Params {
    const moved = this.#link?.moved();
    if (moved) this.#builder = new ParamsBuilder(moved);
    return this.#builder.build(http, plan.target, plan.script, extra, plan.mount);
  }
}

/** `/blog` where the whole path is `/blog/post` and the mounted one `/post`; else ''. */
function mountOf(whole: string, mounted: string): string {
  if (whole.length === mounted.length) return '';
  if (whole.endsWith(mounted)) return whole.slice(0, -mounted.length);
  return mounted === '/' ? whole : '';
}

/** The resolved path, never the one that was sent: a redirect to `//host/` would leave the site. */
function withSlash({ path, query }: Target): string {
  const search = query === '' ? '' : `?${escaped(query, /[^\x21-\x7e]/g)}`;
  return `${escaped(path, /[^A-Za-z0-9\-._~!$&'()*+,;=:@/]/g)}/${search}`;
}

function escaped(text: string, unsafe: RegExp): string {
  return text.replace(unsafe, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

function badTarget(url: string, refused: string): Plan {
  const message = `The URL ${JSON.stringify(url.slice(0, 200))} cannot be served: ${refused}`;
  return {
    kind: 'answer',
    statusCode: 400,
    reason: new ArgumentError('FCGI_ERR_INVALID_ARG', 'url', message),
  };
}
