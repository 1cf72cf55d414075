/** Who gets which servers of many: evenly, the same everywhere, and little changes with them. */
import { describe, expect, it } from 'vitest';
import { type Dealt, subset } from '../../../src/upstream/balance/subset.ts';

const hosts = (count: number): Dealt[] =>
  Array.from({ length: count }, (_, i) => ({
    target: { name: `10.0.${i >> 8}.${i & 255}:9000` },
    settings: { backup: false },
  }));
const names = (servers: readonly Dealt[]): string[] => servers.map(({ target }) => target.name);
const spare: Dealt = { target: { name: 'backup' }, settings: { backup: true } };

describe('1,000 servers, 200 gateways, 20 for each', () => {
  const all = hosts(1_000);
  const parts = Array.from({ length: 200 }, (_, gateway) => subset(all, { size: 20, gateway }));

  it('each gateway has 20, and each server four gateways', () => {
    expect(new Set(parts.map(({ length }) => length))).toEqual(new Set([20]));
    const known = new Map<string, number>();
    for (const name of parts.flatMap(names)) known.set(name, (known.get(name) ?? 0) + 1);
    expect(known.size).toBe(1_000);
    expect(new Set(known.values())).toEqual(new Set([4]));
  });

  it('those of one gateway are not those of another round, so what one host loses goes to many', () => {
    const others = new Set(
      parts
        .slice(50)
        .filter((part) => part.some((server) => parts[0]?.includes(server)))
        .flatMap(names),
    );
    expect(others.size).toBeGreaterThan(500);
  });

  it('does not hang on the order in which the servers are listed', () => {
    const backwards = subset(all.toReversed(), { size: 20, gateway: 7 });
    expect(names(backwards).sort()).toEqual(names(parts[7] ?? []).sort());
  });

  it('one server more changes two of a part at the most', () => {
    const more = hosts(1_001);
    for (const [gateway, part] of parts.slice(0, 50).entries()) {
      const now = new Set(names(subset(more, { size: 20, gateway })));
      expect(names(part).filter((name) => !now.has(name)).length).toBeLessThanOrEqual(2);
    }
  });
});

it('what is left over is dealt out, too: no server is known to nobody', () => {
  const parts = Array.from({ length: 3 }, (_, gateway) => subset(hosts(11), { size: 3, gateway }));
  expect(parts.map(({ length }) => length)).toEqual([3, 4, 4]);
  expect(new Set(parts.flatMap(names)).size).toBe(11);
});

it('fewer servers than the size are all used; backups come on top', () => {
  const few = [...hosts(3), spare];
  expect(subset(few, { size: 20, gateway: 5 })).toEqual(few);
  expect(names(subset([...hosts(40), spare], { size: 20, gateway: 5 }))).toContain('backup');
  expect(subset([], { size: 20, gateway: 5 })).toEqual([]);
});
