import { afterEach, describe, expect, it, vi } from 'vitest';
import { StalledBody, withReadTimeout } from '../../../src/gateway/request/read-timeout.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** Pieces that come when they are given. */
function source(): {
  give(text: string): void;
  end(): void;
  body: AsyncIterable<Uint8Array>;
  returned: boolean;
} {
  const waiting: ((result: IteratorResult<Uint8Array>) => void)[] = [];
  const self = {
    returned: false,
    give: (text: string) => waiting.shift()?.({ done: false, value: Buffer.from(text) }),
    end: () => waiting.shift()?.({ done: true, value: undefined }),
    body: {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<IteratorResult<Uint8Array>>((resolve) => waiting.push(resolve)),
        return: () => {
          self.returned = true;
          return new Promise<IteratorResult<Uint8Array>>(() => {});
        },
      }),
    },
  };
  return self;
}

describe('a body', () => {
  it('that comes steadily is never late, however long it takes', async () => {
    vi.useFakeTimers();
    const { body, give, end } = source();
    const pieces: string[] = [];
    const read = (async () => {
      for await (const piece of withReadTimeout(body, 100)) pieces.push(String(piece));
    })();
    for (let i = 0; i < 20; i++) {
      await vi.advanceTimersByTimeAsync(99);
      give(String(i));
    }
    await vi.advanceTimersByTimeAsync(99);
    end();
    await read;
    expect(pieces).toHaveLength(20);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('of which nothing comes for too long is an error that says so', async () => {
    vi.useFakeTimers();
    const { body, give } = source();
    const read = (async () => {
      for await (const _ of withReadTimeout(body, 100));
    })();
    const failed = expect(read).rejects.toThrow(StalledBody);
    await vi.advanceTimersByTimeAsync(50);
    give('x');
    await vi.advanceTimersByTimeAsync(101);
    await failed;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that its reader gives up is told so, and keeps nobody waiting', async () => {
    const origin = source();
    const pieces = withReadTimeout(origin.body, 1000)[Symbol.asyncIterator]();
    const first = pieces.next();
    origin.give('x');
    await first;
    expect(await pieces.return?.()).toMatchObject({ done: true });
    expect(origin.returned).toBe(true);
  });

  it('without a limit is left as it is', () => {
    const { body } = source();
    expect(withReadTimeout(body, 0)).toBe(body);
  });
});
