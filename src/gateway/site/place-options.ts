/** The options `mount` and `ambiguousPaths`, checked. */
import { parseTarget } from '../../cgi/target.ts';
import { wrong } from '../checks.ts';

export type AmbiguousPaths = 'redirect' | 'refuse' | 'allow';

/** '' or a decoded path without a slash at its end. */
export function mount(value: unknown): string {
  if (value === undefined || value === '/' || value === '') return '';
  const target = typeof value === 'string' && value.startsWith('/') ? parseTarget(value) : null;
  if (target === null || 'refused' in target || target.query !== '' || target.uri !== value) {
    throw wrong('mount', 'must be the path at which the site stands, such as "/blog"');
  }
  return target.path.replace(/\/$/, '');
}

export function ambiguousPaths(value: unknown): AmbiguousPaths {
  if (value === undefined) return 'redirect';
  if (value === 'redirect' || value === 'refuse' || value === 'allow') return value;
  throw wrong('ambiguousPaths', 'must be one of redirect, refuse, allow');
}
