import { describe, expect, it } from 'vitest';
import { ConnectError, PoolError, ProtocolError, SocketError } from '../../src/errors.ts';
import { type Candidate, choose, countsAsFailure, eligible, Health } from '../../src/upstream/health.ts';

interface Named extends Candidate {
  readonly name: string;
}

function server(name: string, given: Partial<Named> = {}): Named {
  return { name, weight: 1, backup: false, health: new Health(1, 10_000), load: 0, current: 0, ...given };
}

function picks(
  servers: readonly Named[],
  count: number,
  balance: 'round-robin' | 'least-conn' = 'round-robin',
): string {
  return Array.from(
    { length: count },
    () => choose(eligible(servers, new Set(), 0), balance)?.name ?? '-',
  ).join('');
}

function down(): Health {
  const health = new Health(1, 10_000);
  health.failed(0);
  return health;
}

describe('the choice of a server', () => {
  it('goes round', () => {
    expect(picks([server('a'), server('b'), server('c')], 6)).toBe('abcabc');
  });

  it('gives each its share by weight, spread out', () => {
    // Smooth weighted round robin as nginx has it: 5, 1, 1 gives a a b a c a a.
    expect(picks([server('a', { weight: 5 }), server('b'), server('c')], 7)).toBe('aabacaa');
  });

  it('leaves out a server that has failed, and backups as long as there is another', () => {
    expect(picks([server('a', { health: down() }), server('b'), server('c', { backup: true })], 3)).toBe(
      'bbb',
    );
  });

  it('takes a backup where the others have failed', () => {
    expect(picks([server('a', { health: down() }), server('b', { backup: true })], 2)).toBe('bb');
  });

  it('never leaves nobody: where all have failed, all are asked again', () => {
    expect(picks([server('a', { health: down() }), server('b', { health: down() })], 4)).toBe('abab');
  });

  it('finds nobody only where all have been visited', () => {
    const a = server('a');
    expect(eligible([a], new Set([a]), 0)).toEqual([]);
    expect(choose([], 'round-robin')).toBeNull();
  });

  it('by load takes the least loaded for its weight', () => {
    const servers = [
      server('a', { load: 4, weight: 4 }),
      server('b', { load: 2 }),
      server('c', { load: 3, weight: 2 }),
    ];
    expect(picks(servers, 1, 'least-conn')).toBe('a');
  });
});

describe('a server', () => {
  it('is left alone after maxFails failures within failTimeout, for as long', () => {
    const health = new Health(2, 1000);
    health.failed(0);
    expect(health.available(1)).toBe(true);
    health.failed(500);
    expect(health.available(501)).toBe(false);
    expect(health.available(1500)).toBe(false);
    expect(health.available(1501)).toBe(true);
  });

  it('is not marked by failures that lie further apart', () => {
    const health = new Health(2, 1000);
    health.failed(0);
    health.failed(1001);
    expect(health.available(1002)).toBe(true);
  });

  it('has a clean slate after it has served', () => {
    const health = new Health(2, 1000);
    health.failed(0);
    health.served();
    health.failed(1);
    expect(health.available(2)).toBe(true);
  });

  it('is never marked with maxFails 0', () => {
    const health = new Health(0, 1000);
    for (let i = 0; i < 9; i++) health.failed(i);
    expect(health.available(10)).toBe(true);
  });
});

describe('what speaks against a server', () => {
  it.each([
    ['a refused connection', new ConnectError('FCGI_ERR_CONNECT', ''), true],
    [
      'a fresh connection that was closed unread',
      new SocketError('FCGI_ERR_SOCKET_RESET', '', { facts: { executed: 'no' } }),
      true,
    ],
    ['OVERLOADED', new ProtocolError('FCGI_ERR_OVERLOADED', ''), true],
    [
      'a worker recycled under a kept connection',
      new SocketError('FCGI_ERR_SOCKET_CLOSED', '', { facts: { executed: 'no', reused: true } }),
      false,
    ],
    [
      'a worker that died while running a script',
      new SocketError('FCGI_ERR_SOCKET_CLOSED', '', { facts: { executed: 'unknown' } }),
      false,
    ],
    ['a full queue of our own', new PoolError('FCGI_ERR_QUEUE_FULL', ''), false],
    ['the reason of an abort', new Error('enough'), false],
  ])('%s: %s', (_, error, against) => {
    expect(countsAsFailure(error)).toBe(against);
  });
});
