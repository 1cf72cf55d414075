/** Addresses of servers/lag.ts, of a network that is for documentation only (RFC 5737). */
export const NEAR = '192.0.2.1';
export const FAR = '192.0.2.2';
