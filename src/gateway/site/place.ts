/** Where a site stands in the tree of URLs, and what of a request's path is below it. */

import { plainForm } from '../../cgi/plain-path.ts';
import { type InvalidTarget, parseTarget, type RequestTarget } from '../../cgi/target.ts';
import type { RequestLine } from './request-line.ts';

export interface Place {
  /** What the client asked for: REQUEST_URI, and the host of a URL that was whole. */
  readonly whole: RequestTarget;
  /** What the site is asked for. */
  readonly target: RequestTarget;
  /** '' or the decoded path at which the site is mounted. */
  readonly mount: string;
  /** A middleware has put another URL in the place of what was sent. */
  readonly isRewritten: boolean;
}

export type BadPlace = InvalidTarget & { readonly url: string };

/** `mount`: the option, decoded, '' where it is not given. */
export function placeOf(line: RequestLine, mount: string): Place | BadPlace {
  const { url, originalUrl, baseUrl } = line;
  const target = parseTarget(url);
  if ('refused' in target) return { ...target, url };
  const whole = originalUrl === url ? target : parseTarget(originalUrl);
  if ('refused' in whole) return { ...whole, url: originalUrl };
  if (mount !== '') return configured(whole, target, mount);
  if (baseUrl === undefined) return guessed(whole, target);
  const base = baseUrl === '' ? '' : parseTarget(baseUrl);
  if (typeof base === 'object' && 'refused' in base) return guessed(whole, target);
  return placed(whole, target, typeof base === 'string' ? base : base.path.replace(/\/$/, ''));
}

/** The framework has taken the mount point off, or, where it is still there, nobody has. */
function configured(sent: RequestTarget, target: RequestTarget, mount: string): Place {
  if (isBelowMount(sent.path, mount)) {
    const rest = sent.path.slice(mount.length) || '/';
    return placed(sent, sent === target ? { ...sent, path: rest } : target, mount);
  }
  const whole = { ...sent, uri: plainForm(mount) + sent.uri, path: mount + sent.path };
  return placed(whole, target, mount);
}

/** connect does not tell: a URL of which another one is the end was mounted, any other was rewritten. */
function guessed(whole: RequestTarget, target: RequestTarget): Place {
  const isBare = target.path === '/' && !whole.path.endsWith('/');
  if (isBare) return placed(whole, target, whole.path);
  const mount = whole.path.endsWith(target.path) ? whole.path.slice(0, -target.path.length) : '';
  return placed(whole, target, mount);
}

function placed(whole: RequestTarget, target: RequestTarget, mount: string): Place {
  const isBare = target.path === '/' && whole.path === mount;
  const isRewritten =
    target !== whole && !((isBare || whole.path === mount + target.path) && whole.query === target.query);
  return { whole, target, mount, isRewritten };
}

function isBelowMount(path: string, mount: string): boolean {
  return path === mount || path.startsWith(`${mount}/`);
}
