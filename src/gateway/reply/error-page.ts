/** The user's own page for an error. */

import type { ErrorPage } from '../options.ts';
import type { OwnAnswer } from './head.ts';

/** Null: there is none, or it could not be made, which is then reported. */
export function pageFor<Req>(
  statusCode: number,
  make: (statusCode: number, request: Req) => ErrorPage | null,
  request: Req,
  report: (error: unknown) => void,
): OwnAnswer | null {
  try {
    const page = make(statusCode, request);
    if (!page) return null;
    const { contentType = 'text/html; charset=utf-8' } = page;
    const body = typeof page.body === 'string' ? Buffer.from(page.body) : page.body;
    const headers = { 'Content-Type': contentType, 'Content-Length': String(body.length) };
    return { statusCode, headers, body };
  } catch (error) {
    report(error);
    return null;
  }
}
