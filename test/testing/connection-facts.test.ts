/**
 * The fake is held to the facts that test/fpm/facts.test.ts shows on the real PHP-FPM, under the same numbers. Those on
 * connections and workers are here, those on requests and responses in request-facts.test.ts. Fact 6 is a clock of
 * PHP-FPM's and has no knob here: `closeIdle()` looks the same from outside.
 */
import { describe, expect, it } from 'vitest';
import { type FakeFpm, type FakeFpmOptions, startFakeFpm } from '../../src/testing/index.ts';
import { gate, turn } from './support/gate.ts';
import { request, WireClient } from './support/wire.ts';

const ids = ({ requests }: FakeFpm): (string | undefined)[] => requests.map(({ params }) => params['ID']);

describe.each(['unix', 'tcp'] as const)('the fake PHP-FPM on a kept connection (%s)', (transport) => {
  function start(options: FakeFpmOptions = {}): Promise<FakeFpm> {
    return startFakeFpm({ transport, workers: 1, ...options });
  }

  it('1: keeps a worker busy with a connection that is idle and kept', async () => {
    await using fpm = await start({ workers: 2 });
    await using kept = await WireClient.open(fpm.address);
    await kept.send(request()).ended();
    expect([fpm.connections, fpm.waiting]).toEqual([1, 0]);
  });

  it('2: closes a connection on which nothing came for its time after accept', async () => {
    await using fpm = await start({ firstByteTimeout: 20 });
    await using silent = await WireClient.open(fpm.address);
    expect(await silent.ending).toBe('FIN');
    expect(fpm.accepted).toBe(1);
  });

  it('2: has no such limit once a byte has come, and none between two requests', async () => {
    await using fpm = await start({ firstByteTimeout: 20, workers: 2 });
    await using slow = await WireClient.open(fpm.address);
    await using kept = await WireClient.open(fpm.address);
    slow.send(request().subarray(0, 1));
    await kept.send(request()).ended();
    // As long as the limit takes for a third one, which came after both.
    const { ending } = await WireClient.open(fpm.address);
    kept.send(request());
    await kept.ended(2);
    kept.close();
    expect(await ending).toBe('FIN');
    await slow.send(request().subarray(1)).ended();
  });

  it('3: at pm.max_requests ends the response, sends FIN, and discards what comes until the client closes', async () => {
    await using fpm = await start({ maxRequests: 2 });
    await using client = await WireClient.open(fpm.address);
    await client.send(request({ id: '1' })).ended();
    await client.send(request({ id: '2' }), request({ id: 'raced in' })).ended(2);
    expect(await client.ending).toBe('FIN');
    for (const id of ['3', '4', '5']) await client.written(request({ id }));
    // Nobody has come in the worker's place: another client waits.
    await using other = await WireClient.open(fpm.address);
    other.send(request({ id: 'other' }));
    await turn();
    expect([fpm.connections, fpm.waiting, fpm.accepted]).toEqual([1, 1, 1]);
    client.close();
    await other.ended();
    expect(ids(fpm)).toEqual(['1', '2', 'other']);
  });

  it('3: ends a connection that is not to be kept in the same way', async () => {
    await using fpm = await start();
    await using client = await WireClient.open(fpm.address);
    await client.send(request({ keepConn: false, id: 'only' })).ended();
    expect(await client.ending).toBe('FIN');
    await client.written(request({ id: 'late' }));
    expect([ids(fpm), fpm.connections]).toEqual([['only'], 1]);
  });

  it('4: counts pm.max_requests by worker, so a connection may be closed after its first request', async () => {
    await using fpm = await start({ maxRequests: 3 });
    const first = await WireClient.open(fpm.address);
    await first.send(request()).ended();
    await first.send(request()).ended(2);
    first.close();
    await using second = await WireClient.open(fpm.address);
    await second.send(request()).ended();
    expect(await second.ending).toBe('FIN');
  });

  it('4: and a request whose client has left counts, too', async () => {
    const left = gate();
    await using fpm = await start({
      maxRequests: 2,
      script: async ({ params }, response) => {
        if (params['ID'] === 'left') await left.opened;
        await response.stdout('a').then(() => response.stdout('b'));
      },
    });
    const first = await WireClient.open(fpm.address);
    first.send(request({ id: 'left' }));
    await fpm.executed(1);
    first.close();
    await turn();
    left.open();
    await using second = await WireClient.open(fpm.address);
    await second.send(request()).ended();
    expect(await second.ending).toBe('FIN');
  });

  it('5: lets the next request wait for what runs after fastcgi_finish_request()', async () => {
    const tail = gate();
    await using fpm = await start({
      script: async ({ params }, response) => {
        await response.stdout(`${params['ID']}`);
        await response.finishEarly();
        await response.stdout('never seen');
        if (params['ID'] === 'first') await tail.opened;
      },
    });
    await using client = await WireClient.open(fpm.address);
    await client.send(request({ id: 'first' })).ended();
    client.send(request({ id: 'second' }));
    await turn();
    expect(ids(fpm)).toEqual(['first']);
    tail.open();
    await client.ended(2);
    expect(ids(fpm)).toEqual(['first', 'second']);
    expect(client.text()).toBe('firstsecond');
  });

  it('6: sends FIN to an idle connection whose worker is killed', async () => {
    await using fpm = await start();
    await using client = await WireClient.open(fpm.address);
    await client.send(request()).ended();
    fpm.closeIdle();
    expect(await client.ending).toBe('FIN');
  });

  it('7: at a reload of which nothing is said sends FIN to idle connections, and resets a busy one without reading its next request', async () => {
    const script = gate();
    await using fpm = await start({
      workers: 2,
      script: async ({ params }, response) => {
        if (params['ID'] === 'busy') await script.opened;
        await response.stdout('answered');
      },
    });
    await using idle = await WireClient.open(fpm.address);
    await idle.send(request({ id: 'idle' })).ended();
    await using busy = await WireClient.open(fpm.address);
    busy.send(request({ id: 'busy' }));
    await fpm.executed(2);
    fpm.reload();
    expect(await idle.ending).toBe('FIN');
    busy.send(request({ id: 'next' }));
    script.open();
    expect(['ECONNRESET', 'EPIPE']).toContain(await busy.ending);
    expect(ids(fpm)).toEqual(['idle', 'busy']);

    await using fresh = await WireClient.open(fpm.address);
    await fresh.send(request({ id: 'fresh' })).ended();
  });

  /** Of two workers one idles on its connection, and one runs a script that ends when the gate opens. */
  async function idleAndBusy(options: FakeFpmOptions) {
    const script = gate();
    const fpm = await start({
      workers: 3,
      script: async ({ params }, response) => {
        if (params['ID'] === 'busy') await script.opened;
        await response.stdout('answered');
      },
      ...options,
    });
    const idle = await WireClient.open(fpm.address);
    await idle.send(request({ id: 'idle', terminator: false })).ended();
    const busy = await WireClient.open(fpm.address);
    busy.send(request({ id: 'busy', terminator: false }));
    await fpm.executed(2);
    return { fpm, idle, busy, script };
  }

  it('7: at a reload without process_control_timeout ends idle and busy connections at once, without an answer, and serves the next', async () => {
    const { fpm, idle, busy, script } = await idleAndBusy({ processControlTimeout: 0 });
    await using _ = fpm;
    fpm.reload();
    expect(await idle.ending).toBe('FIN');
    expect(await busy.ending).toBe('FIN');
    expect(busy.records()).toEqual([]);
    await using fresh = await WireClient.open(fpm.address);
    await fresh.send(request({ id: 'fresh' })).ended();
    script.open();
    await turn();
    expect(ids(fpm)).toEqual(['idle', 'busy', 'fresh']);
    expect(fpm.connections).toBe(1);
  });

  it('7: which starts no script whose body was on its way', async () => {
    await using fpm = await start({ processControlTimeout: 0 });
    await using client = await WireClient.open(fpm.address);
    await client.written(request({ body: 'half ', terminator: false, params: { CONTENT_LENGTH: '10' } }));
    await turn();
    fpm.reload();
    expect(await client.ending).toBe('FIN');
    await turn();
    expect(fpm.requests).toEqual([]);
  });

  it('7: with process_control_timeout lets what runs end, then resets the connection, the next request unread', async () => {
    const { fpm, idle, busy, script } = await idleAndBusy({ processControlTimeout: 60_000 });
    await using _ = fpm;
    fpm.reload();
    // An idle one stays, and holds up the reload, until it has served one more request.
    await using fresh = await WireClient.open(fpm.address);
    fresh.send(request({ id: 'fresh' }));
    busy.send(request({ id: 'never' }));
    script.open();
    expect(['ECONNRESET', 'EPIPE']).toContain(await busy.ending);
    expect(ids(fpm)).toEqual(['idle', 'busy']);
    expect(fpm.waiting).toBe(1);
    await idle.send(request({ id: 'one more', terminator: false })).ended(2);
    expect(await idle.ending).toBe('FIN');
    await fresh.ended();
    expect(ids(fpm)).toEqual(['idle', 'busy', 'one more', 'fresh']);
  });

  it('7: kills what is left after process_control_timeout, and accepts nobody before', async () => {
    const { fpm, idle, busy, script } = await idleAndBusy({ processControlTimeout: 30 });
    await using _ = fpm;
    fpm.reload();
    await using fresh = await WireClient.open(fpm.address);
    fresh.send(request({ id: 'fresh' }));
    expect(await idle.ending).toBe('FIN');
    expect(await busy.ending).toBe('FIN');
    expect(busy.records()).toEqual([]);
    await fresh.ended();
    script.open();
    await turn();
    expect(ids(fpm)).toEqual(['idle', 'busy', 'fresh']);
  });

  it('14: never accepts who waits while its kept connection has a next request', async () => {
    await using fpm = await start();
    await using kept = await WireClient.open(fpm.address);
    await kept.send(request({ id: 'kept' })).ended();
    await using waiting = await WireClient.open(fpm.address);
    waiting.send(request({ id: 'waiting' }));
    for (let count = 2; count <= 100; count++) await kept.send(request({ id: 'kept' })).ended(count);
    expect(new Set(ids(fpm))).toEqual(new Set(['kept']));
    expect([fpm.connections, fpm.waiting, fpm.accepted]).toEqual([1, 1, 1]);
    kept.close();
    await waiting.ended();
    expect(fpm.requests.map(({ connection, nth }) => [connection, nth]).slice(-2)).toEqual([
      [1, 100],
      [2, 1],
    ]);
  });
});
