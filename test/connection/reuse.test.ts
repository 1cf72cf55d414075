import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AfterExchange, CLOSE_REASONS, reuse } from '../../src/connection/reuse.ts';

const well: AfterExchange = {
  keepConn: true,
  bodySent: true,
  bodyUnread: false,
  atBorder: true,
  scriptAskedClose: false,
  requests: 1,
  keepaliveRequests: 1000,
  leaseOver: false,
  isQueryDue: false,
  mustYield: false,
  idleFull: false,
  poolClosing: false,
};

it('a socket on which all went well is kept', () => {
  expect(reuse(well)).toBe('keep');
});

it.each<[string, Partial<AfterExchange>, string]>([
  ['bytes came behind the end', { atBorder: false }, 'trailing-bytes'],
  ['a part of the request was never sent', { bodySent: false }, 'body-unsent'],
  ['the rest of a large body may lie at the server unread', { bodyUnread: true }, 'body-unread'],
  ['the script asked for it', { scriptAskedClose: true }, 'asked-by-script'],
  ['it has carried as many requests as it may', { requests: 1000 }, 'keepalive-requests'],
  ['FCGI_KEEP_CONN was not set', { keepConn: false }, 'not-kept'],
  ['it has been in use for as long as it may be', { leaseOver: true }, 'keepalive-time'],
  ['a request waits for its worker', { mustYield: true }, 'yield'],
  ['as many are idle as may be', { idleFull: true }, 'keepalive'],
  ['the pool is closing', { poolClosing: true }, 'pool-closed'],
])('a socket is closed when %s', (_, change, reason) => {
  expect(reuse({ ...well, ...change })).toBe(reason);
});

it('whatever its age and whoever waits, a socket is kept on which the server is to be asked what it is', () => {
  const old = { ...well, bodyUnread: true, leaseOver: true, mustYield: true, idleFull: true };
  expect(reuse({ ...old, isQueryDue: true })).toBe('keep');
  expect(reuse({ ...old, isQueryDue: true, atBorder: false })).toBe('trailing-bytes');
});

it('the request before the last allowed one leaves the socket open', () => {
  expect(reuse({ ...well, requests: 999 })).toBe('keep');
});

it('no socket with a spoilt wire is ever kept, and every verdict can be counted', () => {
  const anyAfter = fc.record<AfterExchange>({
    keepConn: fc.boolean(),
    bodySent: fc.boolean(),
    bodyUnread: fc.boolean(),
    atBorder: fc.boolean(),
    scriptAskedClose: fc.boolean(),
    requests: fc.integer({ min: 1, max: 5 }),
    keepaliveRequests: fc.integer({ min: 1, max: 5 }),
    leaseOver: fc.boolean(),
    isQueryDue: fc.boolean(),
    mustYield: fc.boolean(),
    idleFull: fc.boolean(),
    poolClosing: fc.boolean(),
  });
  fc.assert(
    fc.property(anyAfter, (after) => {
      const verdict = reuse(after);
      const spoilt = !after.atBorder || !after.bodySent || !after.keepConn;
      if (verdict === 'keep') return !spoilt;
      return CLOSE_REASONS.includes(verdict);
    }),
  );
});

describe('the words of the close counters', () => {
  it('are all different', () => {
    expect(new Set(CLOSE_REASONS).size).toBe(CLOSE_REASONS.length);
  });
});
