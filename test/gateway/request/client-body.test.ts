import { afterEach, describe, expect, it, vi } from 'vitest';
import { clientBody, StalledBody } from '../../../src/gateway/request/client-body.ts';

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
      for await (const piece of clientBody(body, 100)) pieces.push(String(piece));
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
      for await (const _ of clientBody(body, 100));
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
    const pieces = clientBody(origin.body, 1000)[Symbol.asyncIterator]();
    const first = pieces.next();
    origin.give('x');
    await first;
    expect(await pieces.return?.()).toMatchObject({ done: true });
    expect(origin.returned).toBe(true);
  });

  it('without a limit is waited for as long as it takes', async () => {
    vi.useFakeTimers();
    const { body, give, end } = source();
    const pieces = clientBody(body, 0)[Symbol.asyncIterator]();
    const first = pieces.next();
    await vi.advanceTimersByTimeAsync(1e9);
    give('x');
    expect(await first).toMatchObject({ done: false });
    const last = pieces.next();
    end();
    expect(await last).toMatchObject({ done: true });
  });

  it.each([0, 1000])(
    'of a web stream that is given up before it was read is cancelled, limit %i',
    async (limit) => {
      let cancelled = false;
      const stream = new ReadableStream<Uint8Array>({
        cancel() {
          cancelled = true;
        },
      });
      await clientBody(stream, limit)[Symbol.asyncIterator]().return?.();
      await vi.waitUntil(() => cancelled);
    },
  );

  it.each([
    ['ECONNRESET', Object.assign(new Error('aborted'), { code: 'ECONNRESET' })],
    ['what Deno throws', Object.assign(new Error('connection closed'), { name: 'ConnectionReset' })],
  ])("whose client has left is the client's fault: %s", async (_, error) => {
    const stream = new ReadableStream<Uint8Array>({ start: (controller) => controller.error(error) });
    const read = clientBody(stream, 0)[Symbol.asyncIterator]().next();
    await expect(read).rejects.toMatchObject({ code: 'FCGI_ERR_BODY_LENGTH' });
  });

  it('that fails for another reason fails with that', async () => {
    const error = new Error('no such device');
    const stream = new ReadableStream<Uint8Array>({ start: (controller) => controller.error(error) });
    await expect(clientBody(stream, 0)[Symbol.asyncIterator]().next()).rejects.toBe(error);
  });
});
