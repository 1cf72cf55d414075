/** Look-ups that go wrong: each request that hangs on one is told what was wrong, in time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FcgiError, Upstream, type UpstreamOptions } from '../../../src/index.ts';
import { startFakeFpm } from '../../../src/testing/index.ts';
import { waitFor } from '../../fpm/support/index.ts';
import { GET, HEAD } from '../../pool/support.ts';
import { answering, ask, askInTurn, stateOf } from '../support.ts';

const NAME = 'fpm.internal:9000';

async function failure(upstream: Upstream): Promise<FcgiError> {
  const error: unknown = await upstream.request({ params: GET }).catch((reason: unknown) => reason);
  if (error instanceof FcgiError) return error;
  throw new Error('it did not fail as it should');
}

/** From plain JavaScript. */
function upstreamBy(resolve: unknown, more: UpstreamOptions = {}): Upstream {
  return Reflect.construct(Upstream, [[NAME], { connectTimeout: 300, ...more, resolve }]);
}

describe('a resolve function', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('registry is down');
      },
      'registry is down',
    ],
    [
      'rejects',
      async () => {
        throw new Error('registry is down');
      },
      'registry is down',
    ],
    ['never answers', () => new Promise(() => {}), 'no answer within 300 ms'],
    ['returns nothing', () => undefined, 'resolve must return a list of servers, not undefined'],
    ['returns no list', () => '10.0.0.1:9000', "resolve must return a list of servers, not '10.0.0.1:9000'"],
    ['finds no server', () => [], 'stands for no server'],
    ['returns what is no address', () => [42], 'not a FastCGI address: 42'],
    ['returns nothing in a list', () => [undefined], 'not a FastCGI address: undefined'],
    ['returns a weight that cannot be', () => [{ address: '10.0.0.1:9000', weight: -1 }], 'weight must be'],
  ])('that %s: the request fails, and is told so', async (_, resolve, why) => {
    await using upstream = upstreamBy(resolve);
    const error = await failure(upstream);
    expect(error).toMatchObject({ code: 'FCGI_ERR_NO_LIVE_UPSTREAM', executed: 'no' });
    expect(error.message).toContain(`${NAME} (cannot look up ${NAME}:`);
    expect(error.message).toContain(why);
    expect(error.hint).toContain(why);
  });

  it('that never answers keeps close() waiting for connectTimeout, and no longer', async () => {
    const upstream = upstreamBy(() => new Promise(() => {}));
    const error = failure(upstream);
    await upstream.close();
    expect(await error).toMatchObject({ code: 'FCGI_ERR_NO_LIVE_UPSTREAM' });
  });

  it('may answer late, or the second time only: it is used from then on', async () => {
    await using a = await answering('a', { transport: 'tcp' });
    let asked = 0;
    await using upstream = upstreamBy(
      () => {
        if (asked++ === 0) throw new Error('not yet');
        return [a.address];
      },
      { connectTimeout: 5000 },
    );
    // It waits for the second look-up.
    expect(await ask(upstream)).toBe('a');
    expect(asked).toBe(2);
  });

  it('that names the same name again, once it answers, is dialled', async () => {
    await using a = await answering('a', { transport: 'tcp' });
    const port = a.address.split(':')[1];
    let asked = 0;
    const resolve = (): string[] => {
      if (asked++ === 0) throw new Error('not yet');
      return [`localhost:${port}`];
    };
    await using upstream = new Upstream([`localhost:${port}`], { resolve, connectTimeout: 5000 });
    expect(await ask(upstream)).toBe('a');
  });

  it('may list a server twice: that is two servers', async () => {
    await using a = await answering('a', { transport: 'tcp' });
    await using upstream = upstreamBy(() => [a.address, a.address]);
    expect(await askInTurn(upstream, 4)).toEqual(Array(4).fill('a'));
    expect(upstream.stats.servers.map(({ stats }) => stats.served)).toEqual([2, 2]);
  });
});

describe('while a name is looked up', () => {
  it('close() waits for the request, destroy() tells it the name', async () => {
    await using a = await answering('a', { transport: 'tcp' });
    const slowly = (): Promise<string[]> =>
      new Promise((resolve) => setTimeout(() => resolve([a.address]), 100));
    const closed = upstreamBy(slowly);
    const answer = ask(closed);
    await closed.close();
    expect(await answer).toBe('a');
    const destroyed = upstreamBy(slowly);
    const error = failure(destroyed);
    await destroyed.destroy();
    expect(await error).toMatchObject({ code: 'FCGI_ERR_DESTROYED' });
    expect((await error).message).toContain(NAME);
  });

  it.each([0, 300])(
    'for %i ms, those who wait are no overload once it is there: who asks again is not refused',
    async (time) => {
      await using a = await startFakeFpm({
        transport: 'tcp',
        workers: 4,
        script: async (_, response) => {
          await sleep(3);
          await response.stdout(`${HEAD}a`);
        },
      });
      await using upstream = upstreamBy(() => sleep(time, [a.address]), {
        connections: 4,
        connectTimeout: 5000,
      });
      const client = (): Promise<string[]> => askInTurn(upstream, 6);
      const answers = await Promise.all(Array.from({ length: 12 }, client));
      expect(answers.flat().filter((answer) => answer !== 'a')).toEqual([]);
    },
  );

  it('update() to other servers gives them the requests that wait', async () => {
    await using b = await answering('b', { transport: 'tcp' });
    await using upstream = upstreamBy(() => new Promise(() => {}), { connectTimeout: 5000 });
    const answer = ask(upstream);
    upstream.update([b.address]);
    expect(await answer).toBe('b');
    await waitFor(() => upstream.stats.servers.length === 1);
    expect(stateOf(upstream, b.address)).toBe('up');
  });
});
