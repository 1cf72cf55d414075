import { describe, expect, it } from 'vitest';
import { ArgumentError, FcgiError, Upstream } from '../../src/index.ts';
import { type FakeFpm, startFakeFpm } from '../../src/testing/index.ts';
import { gone, startFpm } from '../fpm/support/index.ts';

const GET = { SCRIPT_FILENAME: '/srv/a.php', REQUEST_METHOD: 'GET' };
const POST = { SCRIPT_FILENAME: '/srv/a.php', REQUEST_METHOD: 'POST', CONTENT_TYPE: 'text/plain' };

/** Nothing listens there: the port was free a moment ago. */
const NOBODY = 'unix:/tmp/fastcgi-pool-nobody-listens-here.sock';

function answering(name: string): Promise<FakeFpm> {
  return startFakeFpm({
    script: async (request, response) => {
      await response.stdout(`Content-type: text/plain\r\n\r\n${name} ${await request.text()}`);
    },
  });
}

async function ask(upstream: Upstream, body: string | null = null): Promise<string> {
  const response = await upstream.request({ params: body === null ? GET : POST, body });
  return (await response.body.text()).trim();
}

async function failure(promise: Promise<unknown>): Promise<FcgiError> {
  const error = await promise.catch((reason: unknown) => reason);
  if (error instanceof FcgiError) return error;
  throw new Error('it did not fail as it should');
}

describe('several servers', () => {
  it('share the requests', async () => {
    await using a = await answering('a');
    await using b = await answering('b');
    await using upstream = new Upstream([a.address, { address: b.address, weight: 3 }]);
    const answers: string[] = [];
    for (let i = 0; i < 8; i++) answers.push(await ask(upstream));
    expect(answers.filter((name) => name === 'a').length).toBe(2);
    expect(answers.filter((name) => name === 'b').length).toBe(6);
    expect(upstream.stats.served).toBe(8);
  });

  it('count what one of them passes on to another as it refuses', async () => {
    await using b = await answering('b');
    await using upstream = new Upstream([NOBODY, b.address]);
    const response = await upstream.request({ params: GET });
    await response.body.text();
    expect(await response.ended).toMatchObject({ attempts: 2, server: b.address });
    expect(upstream.stats.servers.map(({ stats }) => stats.retried)).toEqual([1, 0]);
    expect(upstream.stats.retried).toBe(1);
  });

  it('stand in for one that refuses, even for a POST, which then runs once', async () => {
    await using b = await answering('b');
    await using upstream = new Upstream([NOBODY, b.address]);
    for (let i = 0; i < 10; i++) expect(await ask(upstream, `post ${i}`)).toBe(`b post ${i}`);
    expect(b.requests.length).toBe(10);
  });

  it('stand in for one that takes a connection and leaves it unread', async () => {
    await using gone = await startFakeFpm({
      maxRequests: 1,
      workers: 1,
      script: (_, response) => response.kill(),
    });
    await using b = await answering('b');
    await using upstream = new Upstream([gone.address, { address: b.address, backup: true }]);
    // It may have run there: it is not sent again, to nobody.
    expect(await failure(ask(upstream, 'x'))).toMatchObject({ executed: 'unknown' });
    expect(b.requests.length).toBe(0);
  });

  it('leave a backup alone as long as another answers', async () => {
    await using a = await answering('a');
    await using b = await answering('b');
    await using upstream = new Upstream([a.address, { address: b.address, backup: true }]);
    for (let i = 0; i < 5; i++) expect(await ask(upstream)).toBe('a');
    await a.stop();
    expect(await ask(upstream)).toBe('b');
  });

  it('that are all gone: it fails once they have been asked again within connectTimeout, and says so', async () => {
    await using upstream = new Upstream([NOBODY, `${NOBODY}2`], { connectTimeout: 400 });
    const begun = performance.now();
    const error = await failure(ask(upstream, 'x'));
    expect(error).toMatchObject({ code: 'FCGI_ERR_NO_LIVE_UPSTREAM', executed: 'no' });
    expect(error.hint).toContain('is php-fpm running');
    // Each with what was wrong with it.
    for (const address of [NOBODY, `${NOBODY}2`])
      expect(error.message).toContain(`${address} (cannot connect to ${address}: ENOENT)`);
    expect(performance.now() - begun).toBeLessThan(2000);
  });

  it('that are all down by their option: it fails at once, and says so; update() is the way out', async () => {
    await using b = await answering('b');
    await using upstream = new Upstream([
      { address: b.address, down: true },
      { address: NOBODY, down: true },
    ]);
    const error = await failure(ask(upstream));
    expect(error).toMatchObject({ code: 'FCGI_ERR_NO_LIVE_UPSTREAM', executed: 'no' });
    expect(error.message).toContain(`all servers are down by their option: ${b.address}, ${NOBODY}`);
    upstream.update([b.address]);
    expect(await ask(upstream)).toBe('b');
  });

  it('that are all gone for a moment: requests wait, and are answered by the one that comes back', async () => {
    await using fpm = await startFpm();
    const params = fpm.script('a.php', 'echo "back";');
    await using upstream = new Upstream([NOBODY, fpm.address]);
    // Not while it is still going: a reset by a server that has never answered leaves open whether the request ran.
    const { pid } = fpm;
    fpm.kill('SIGQUIT');
    await gone([pid]);
    const restarted = fpm.restart();
    const bodies = Array.from({ length: 20 }, async () => {
      const response = await upstream.request({ params });
      return response.body.text();
    });
    expect(await Promise.all(bodies)).toEqual(Array.from({ length: 20 }, () => 'back'));
    await restarted;
  });

  it('retry: never means never, on no server', async () => {
    await using b = await answering('b');
    await using upstream = new Upstream([NOBODY, { address: b.address, backup: true }], { retry: 'never' });
    expect(await failure(ask(upstream))).toMatchObject({ executed: 'no' });
    expect(b.requests.length).toBe(0);
  });

  it('an abort is final, on whatever server the request is', async () => {
    await using held = await startFakeFpm({ script: (_, response) => response.hang() });
    await using b = await answering('b');
    await using upstream = new Upstream([held.address, { address: b.address, backup: true }]);
    const enough = new Error('enough');
    const controller = new AbortController();
    const answer = upstream.request({ params: GET, signal: controller.signal });
    await held.executed(1);
    controller.abort(enough);
    await expect(answer).rejects.toBe(enough);
    expect(b.requests.length).toBe(0);
  });

  it('close() waits for what is under way on each of them, destroy() does not', async () => {
    await using a = await answering('a');
    const upstream = new Upstream([a.address, NOBODY]);
    const answer = ask(upstream);
    await upstream.close();
    expect(await answer).toBe('a');
    expect(await failure(ask(upstream))).toMatchObject({ code: 'FCGI_ERR_CLOSED' });
    expect(upstream.stats).toMatchObject({ connected: 0, queued: 0 });
  });
});

describe('what an Upstream is given', () => {
  it.each([
    ['no server', [], {}, 'servers'],
    ['an address that is none', ['nowhere'], {}, 'address'],
    ['an option that a server does not have', [{ address: NOBODY, maxFail: 1 }], {}, 'maxFail'],
    ['a server without an address', [{ weight: 2 }], {}, 'address'],
    ['an address beside a service', [{ srv: '_php-fpm._tcp.test', address: NOBODY }], {}, 'srv'],
    ['a weight of 0', [{ address: NOBODY, weight: 0 }], {}, 'weight'],
    ['a backup that is no flag', [{ address: NOBODY, backup: 1 }], {}, 'backup'],
    ['a balance that there is not', [NOBODY], { balance: 'random' }, 'balance'],
    ['a subset of nothing', [NOBODY], { subset: { size: 0, gateway: 1 } }, 'size'],
    ['a subset of nobody in particular', [NOBODY], { subset: { size: 2 } }, 'gateway'],
    [
      'a subset with an option of no such name',
      [NOBODY],
      { subset: { size: 2, gateway: 0, key: '' } },
      'key',
    ],
    ['an option that a pool does not have', [NOBODY], { conections: 8 }, 'conections'],
  ])('%s is refused by name', (_, servers, options, option) => {
    const make = (): Upstream => Reflect.construct(Upstream, [servers, options]);
    expect(make).toThrow(ArgumentError);
    expect(make).toThrow(expect.objectContaining({ code: 'FCGI_ERR_INVALID_ARG', option }));
  });

  it.each(['weight', 'backup', 'maxFails', 'failTimeout', 'maxConns', 'slowStart', 'down'])(
    '%s, where it is given to all servers together, is said to belong to each of them',
    (option) => {
      const make = (): Upstream => Reflect.construct(Upstream, [[NOBODY], { [option]: 1 }]);
      expect(make).toThrow(
        expect.objectContaining({ option, message: expect.stringContaining('of each server') }),
      );
    },
  );
});
