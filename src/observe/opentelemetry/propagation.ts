/** Our span as PHP sees it, `$_SERVER['HTTP_TRACEPARENT']`, and what came with the request from outside. */
import { type Context, propagation, type TextMapGetter, trace } from '@opentelemetry/api';
import type { RequestMessage } from '../../connection/channels.ts';
import { paramOf, textOf } from './attributes.ts';

type RequestParams = RequestMessage['params'];

const getter: TextMapGetter<RequestParams> = {
  keys: () => propagation.fields(),
  get: (params, header) => {
    const value = params[paramOf(header)];
    return value === undefined ? undefined : textOf(value);
  },
};

/** What the span is a child of: the active one, else that of the client, if the params have it. */
export function parentOf(active: Context, params: RequestParams): Context {
  return trace.getSpan(active) === undefined ? propagation.extract(active, params, getter) : active;
}

/** Puts the context's span into the params. What the client sent in its place would tell PHP of another trace. */
export function inject(context: Context, params: RequestParams): void {
  const headers: Record<string, string> = {};
  propagation.inject(context, headers);
  const found = Object.entries(headers);
  if (found.length === 0) return;
  for (const field of propagation.fields()) delete params[paramOf(field)];
  for (const [header, value] of found) params[paramOf(header)] = value;
}
