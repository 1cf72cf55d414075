/** What is answered where PHP's reply is not: the user's own page for an error, or one line of text. */
import { isUint8Array } from 'node:util/types';
import { FcgiError } from '../../errors.ts';
import { wrong } from '../checks.ts';
import type { ErrorPage } from '../options.ts';
import { type OwnAnswer, ownAnswer } from './head.ts';
import type { ReplyHooks } from './reply-options.ts';

/** `error`: why. */
export function answerFor(
  hooks: ReplyHooks,
  statusCode: number,
  headers: Readonly<Record<string, string>> | undefined,
  error: unknown,
): OwnAnswer {
  const own = ownAnswer(statusCode, headers, error instanceof FcgiError ? error.retryAfter : 0);
  const page = statusCode >= 400 ? hooks.errorPage(statusCode, error) : null;
  return page ? { ...page, headers: { ...headers, ...page.headers } } : own;
}

/** Null: there is none, or it could not be made, which is then reported. `error`: why; undefined for PHP's own answer. */
export function pageFor<Req>(
  statusCode: number,
  make: (statusCode: number, request: Req, error: unknown) => ErrorPage | null,
  request: Req,
  error: unknown,
  report: (error: unknown, statusCode: number) => void,
): OwnAnswer | null {
  try {
    const page: unknown = make(statusCode, request, error);
    if (page === null || page === undefined) return null;
    const { body, contentType } = checked(page);
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const headers = { 'Content-Type': contentType, 'Content-Length': String(bytes.length) };
    return { statusCode, headers, body: bytes };
  } catch (failure) {
    report(failure, 500);
    return null;
  }
}

function checked(page: object | unknown): Required<ErrorPage> & { readonly contentType: string } {
  const { body, contentType = 'text/html; charset=utf-8' }: { body?: unknown; contentType?: unknown } =
    typeof page === 'object' && page !== null ? page : {};
  if (page instanceof Promise) {
    page.catch(() => {});
    throw wrong('errorPage', 'returned a promise: the page must be there at once');
  }
  if (typeof body !== 'string' && !isUint8Array(body)) {
    throw wrong(
      'errorPage',
      'must return null, or { body, contentType } whose body is a string or a Uint8Array',
    );
  }
  if (typeof contentType !== 'string' || !/^[\t\x20-\x7e]+$/.test(contentType)) {
    throw wrong('errorPage', 'returned a contentType that is no value of a header');
  }
  return { body, contentType };
}
