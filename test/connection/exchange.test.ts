import { describe, expect, it } from 'vitest';
import { Exchange } from '../../src/connection/exchange.ts';

/** Sent at 1000, its first byte came 50 ms later. */
function begun(bytes: number): Exchange {
  const listener = { onHead() {}, onData() {}, onStderr() {}, onPart() {}, onComplete() {}, onFailed() {} };
  const exchange = new Exchange(listener, 1, true, true, 0, 0);
  exchange.begin(0, null, 1_000, 1_000);
  exchange.firstByteAfter = 50;
  exchange.bytesReceived = bytes;
  return exchange;
}

describe('how long a response stood still', () => {
  it('is the longest time between two reads, once it has begun', () => {
    const exchange = begun(100);
    expect(exchange.stillFor).toBe(0);
    for (const now of [1_060, 1_104, 1_110]) exchange.goesOn(now, false);
    expect(exchange.stillFor).toBe(44);
  });

  it('is not what we did not read ourselves', () => {
    const exchange = begun(100);
    exchange.goesOn(1_060, false);
    exchange.goesOn(1_900, true);
    exchange.goesOn(1_905, false);
    expect(exchange.stillFor).toBe(10);
  });
});

describe('a response may have come in more than one piece', () => {
  it('where it is larger than what PHP-FPM gathers', () => {
    expect([begun(8_192).isLong, begun(8_193).isLong]).toEqual([false, true]);
  });

  it('where it was read in more than one', () => {
    const exchange = begun(100);
    exchange.goesOn(1_051, false);
    expect(exchange.isLong).toBe(true);
  });
});

it('a response may wait for an acknowledgement only where its connection is kept, and had been answered before', () => {
  const listener = { onHead() {}, onData() {}, onStderr() {}, onPart() {}, onComplete() {}, onFailed() {} };
  for (const [keepConn, isAccepted] of [
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ] as const) {
    const exchange = new Exchange(listener, 1, keepConn, true, 0, 0);
    exchange.isAccepted = isAccepted;
    expect(exchange.mayWaitForAck).toBe(keepConn && isAccepted);
  }
});
