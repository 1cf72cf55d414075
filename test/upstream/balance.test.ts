/** How several servers share what comes. */
import { describe, expect, it } from 'vitest';
import { systemTimers } from '../../src/connection/clock.ts';
import { systemRuntime } from '../../src/connection/runtime.ts';
import { Upstream, type UpstreamOptions } from '../../src/index.ts';
import { requestBy } from '../../src/pool/request/response.ts';
import { type FakeFpm, type FakeFpmOptions, startFakeFpm } from '../../src/testing/index.ts';
import { upstreamParts } from '../../src/upstream/upstream.ts';
import { waitFor } from '../fpm/support/index.ts';
import { GET, gate, HEAD } from '../pool/support.ts';
import { answering, ask, askAtOnce, askInTurn, countOf, stateOf } from './support.ts';

describe('requests that come one after the other', () => {
  it.each(['least-conn', 'round-robin', undefined] as const)('are spread by weight (%s)', async (balance) => {
    await using a = await answering('a');
    await using b = await answering('b');
    const options: UpstreamOptions = balance === undefined ? {} : { balance };
    await using equal = new Upstream([a.address, b.address], options);
    expect(countOf(await askInTurn(equal, 8), 'a')).toBe(4);
    await using unequal = new Upstream([a.address, { address: b.address, weight: 3 }], options);
    expect(countOf(await askInTurn(unequal, 8), 'a')).toBe(2);
  });

  it('go to the same server by their key, and by the address of the client where no key is given', async () => {
    await using a = await answering('a');
    await using b = await answering('b');
    const client = (nth: number): object => ({ params: { ...GET, REMOTE_ADDR: `10.0.0.${nth}` } });
    await using byClient = new Upstream([a.address, b.address], { balance: 'hash' });
    const first: string[] = [];
    for (let nth = 0; nth < 20; nth++) first.push(await ask(byClient, client(nth)));
    for (let nth = 0; nth < 20; nth++) expect(await ask(byClient, client(nth))).toBe(first[nth]);
    expect(new Set(first)).toEqual(new Set(['a', 'b']));
    await using byScript = new Upstream([a.address, b.address], {
      balance: 'hash',
      hashKey: ({ params }) => String(params['SCRIPT_FILENAME']),
    });
    expect(new Set(await askInTurn(byScript, 10)).size).toBe(1);
  });

  it('are asked for their key once, with the params as they were given, also where a server fails them', async () => {
    await using refuses = await startFakeFpm({ script: (_request, response) => response.reset() });
    await using a = await answering('a');
    await using b = await answering('b');
    const keys: unknown[] = [];
    await using upstream = new Upstream([{ address: refuses.address, maxFails: 0 }, a.address, b.address], {
      balance: 'hash',
      hashKey: ({ params }) => {
        keys.push(params['REMOTE_ADDR']);
        return String(params['REMOTE_ADDR']);
      },
      retry: 'always',
    });
    // Addresses are drawn: of 12 clients none has the one that fails in one run of 130.
    const given = Array.from({ length: 48 }, (_, nth) => `10.0.0.${nth}`);
    for (const client of given) await ask(upstream, { params: { ...GET, REMOTE_ADDR: client } });
    expect(keys).toEqual(given);
    expect(upstream.stats.retried).toBeGreaterThan(0);
  });

  it('fail one by one where the function for the key throws', async () => {
    await using a = await answering('a');
    await using b = await answering('b');
    await using upstream = new Upstream([a.address, b.address], {
      balance: 'hash',
      hashKey: () => {
        throw new RangeError('no key');
      },
    });
    await expect(upstream.request({ params: GET })).rejects.toThrow('no key');
    expect(upstream.stats.queued).toBe(0);
  });

  it.each([undefined, null, 7, Promise.resolve('key')])(
    'fail one by one where it returns no string: %o',
    async (key) => {
      await using a = await answering('a');
      await using b = await answering('b');
      const options = { balance: 'hash', hashKey: () => key };
      await using upstream: Upstream = Reflect.construct(Upstream, [[a.address, b.address], options]);
      const error: unknown = await upstream.request({ params: GET }).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'FCGI_ERR_INVALID_ARG', option: 'hashKey' });
    },
  );

  it('never come to a server that is down, nor to a backup while another is up', async () => {
    await using a = await answering('a');
    await using b = await answering('b');
    await using c = await answering('c');
    await using upstream = new Upstream([
      a.address,
      { address: b.address, down: true },
      { address: c.address, backup: true },
    ]);
    expect(new Set(await askInTurn(upstream, 10))).toEqual(new Set(['a']));
    expect(stateOf(upstream, b.address)).toBe('down');
  });
});

describe('requests that come at once', () => {
  it('wait for no slow server while another has room', async () => {
    const opened = gate();
    await using a = await answering('a', {
      script: async (_, response) => {
        await opened.opened;
        await response.stdout(`${HEAD}a`);
      },
    });
    await using b = await answering('b');
    await using upstream = new Upstream([a.address, b.address], { connections: 1 });
    const answers = askAtOnce(upstream, 6);
    await waitFor(() => b.requests.length === 5);
    opened.open();
    expect(countOf(await answers, 'b')).toBe(5);
  });

  it('are all sent at once where none may wait (queueSize 0), though nobody has heard of the servers', async () => {
    await using a = await answering('a');
    await using b = await answering('b');
    await using upstream = new Upstream([a.address, b.address], { queueSize: 0 });
    const answers = await askAtOnce(upstream, 16);
    expect(countOf(answers, 'a') + countOf(answers, 'b')).toBe(16);
  });

  it('are all sent at once to servers that have just answered, though these had nothing to do for a moment', async () => {
    const opened = gate();
    let isHeld = false;
    const script: FakeFpmOptions['script'] = async (_, response) => {
      if (isHeld) await opened.opened;
      await response.stdout(`${HEAD}ok`);
    };
    await using a = await answering('a', { script });
    await using b = await answering('b', { script });
    // The moment must not depend on how busy the machine is.
    const begun = systemTimers.now();
    const runtime = { ...systemRuntime, timers: { ...systemTimers, now: () => begun } };
    const { scheduler } = upstreamParts([a.address, b.address], { backend: 'php-fpm' }, runtime);
    const burst = (): Promise<string[]> =>
      Promise.all(
        Array.from({ length: 8 }, async () => {
          const response = await requestBy(scheduler, { params: GET }, 0);
          return response.body.text();
        }),
      );
    await burst();
    const { examined } = scheduler.stats.closed;
    isHeld = true;
    const answers = burst();
    await waitFor(() => a.requests.length + b.requests.length === 16);
    opened.open();
    expect(countOf(await answers, 'ok')).toBe(8);
    // Nor were they asked first whether they are there.
    expect(scheduler.stats.closed.examined).toBe(examined);
    await scheduler.close();
  });

  it('are no more than maxConns on one server', async () => {
    const opened = gate();
    let most = 0;
    let running = 0;
    const held = (name: string): Promise<FakeFpm> =>
      answering(name, {
        script: async (_, response) => {
          if (name === 'a') most = Math.max(most, ++running);
          await opened.opened;
          if (name === 'a') running--;
          await response.stdout(`${HEAD}${name}`);
        },
      });
    await using a = await held('a');
    await using b = await held('b');
    await using upstream = new Upstream([{ address: a.address, maxConns: 3 }, b.address]);
    const answers = askAtOnce(upstream, 16);
    await waitFor(() => a.requests.length + b.requests.length === 11);
    opened.open();
    await answers;
    expect(most).toBeLessThanOrEqual(3);
  });

  it('go where the workers are: a server of two workers is not given what one of eight could run', async () => {
    const script: (name: string) => Promise<FakeFpm> = (name) =>
      startFakeFpm({
        workers: name === 'small' ? 2 : 8,
        script: async (_, response) => {
          await new Promise((resolve) => setTimeout(resolve, 20));
          await response.stdout(`${HEAD}${name}`);
        },
      });
    await using small = await script('small');
    await using large = await script('large');
    await using upstream = new Upstream([small.address, large.address], { connections: 16 });
    let over = false;
    const clients = Array.from({ length: 10 }, async () => {
      while (!over) await ask(upstream);
    });
    const answered = (least: number): Promise<unknown> =>
      waitFor(() => upstream.stats.served >= least, { timeout: 20_000 });
    const seen = (): [number, number] => [small.requests.length, large.requests.length];
    let [before, largeBefore] = seen();
    try {
      await answered(150);
      [before, largeBefore] = seen();
      await answered(500);
    } finally {
      // Else they would ask on for ever, beside all other tests.
      over = true;
    }
    await Promise.all(clients);
    const share = (large.requests.length - largeBefore) / (small.requests.length - before);
    // 4 by the workers, 1 by the connections alone.
    expect(share).toBeGreaterThan(2.5);
  }, 45_000);
});

describe('a server that is back', () => {
  it('gets its share little by little over slowStart', async () => {
    let failing = true;
    await using a = await answering('a', {
      script: (_, response) =>
        failing ? response.raw(Buffer.from('HTTP/1.1 ')) : response.stdout(`${HEAD}a`),
    });
    await using b = await answering('b');
    await using upstream = new Upstream(
      [{ address: a.address, failTimeout: 100, slowStart: 60_000 }, b.address],
      { balance: 'round-robin', headersTimeout: 500 },
    );
    await askInTurn(upstream, 4);
    expect(stateOf(upstream, a.address)).toBe('failed');
    failing = false;
    await waitFor(async () => (await ask(upstream)) === 'a');
    // A tenth of its weight, against 1: 2 of 22.
    const share = countOf(await askInTurn(upstream, 22), 'a');
    expect(share).toBeGreaterThanOrEqual(1);
    expect(share).toBeLessThanOrEqual(3);
  });
});
