/**
 * Milliseconds. An upload may take longer than Node's 5 minutes for a whole request. Its head may not: with the one limit
 * Node drops the other, unless it is told. Of headers it would keep a thousand, and drop the rest in silence; their
 * bytes are limited in any case.
 */
export const httpLimits = { requestTimeout: 0, headersTimeout: 60_000, maxHeadersCount: 0 };
