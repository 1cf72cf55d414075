/**
 * Milliseconds. An upload may take longer than Node's 5 minutes for a whole request. Its head may not: with the one limit
 * Node drops the other, unless it is told.
 */
export const httpLimits = { requestTimeout: 0, headersTimeout: 60_000 };
