/**
 * The fake is held to the facts that test/fpm/facts.test.ts shows on the real PHP-FPM, under the same numbers. Fact
 * 6 is a clock of PHP-FPM's and has no knob here: `closeIdle()` looks the same from outside.
 */
import { describe, expect, it } from 'vitest';
import { type FakeFpm, type FakeFpmOptions, startFakeFpm } from '../../src/testing/index.ts';
import { gate, turn } from './support/gate.ts';
import * as wire from './support/wire.ts';
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

  it('7: at a reload sends FIN to idle connections, and resets a busy one without reading its next request', async () => {
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

  it.each([
    { content: 65_535, padding: 0, fate: 'answers' },
    { content: 65_528, padding: 7, fate: 'answers' },
    { content: 65_535, padding: 1, fate: 'ECONNRESET' },
    { content: 65_530, padding: 6, fate: 'ECONNRESET' },
  ])('8: $fate to PARAMS of $content bytes and $padding of padding', async ({ content, padding, fate }) => {
    await using fpm = await start();
    await using client = await WireClient.open(fpm.address);
    const params = wire.pair('FILL', 'x'.repeat(content - 9));
    expect(params.length).toBe(content);
    client.send(wire.begin(true), wire.record(wire.PARAMS, params, padding), wire.record(wire.PARAMS));
    if (fate === 'answers') await client.ended();
    else expect(await client.ending).toBe(fate);
    expect(fpm.requests.length).toBe(fate === 'answers' ? 1 : 0);
  });

  it('8: resets the connection where a pair crosses two PARAMS records', async () => {
    await using fpm = await start();
    await using client = await WireClient.open(fpm.address);
    const all = wire.pair('REQUEST_METHOD', 'GET');
    client.send(
      wire.begin(true),
      wire.record(wire.PARAMS, all.subarray(0, 5)),
      wire.record(wire.PARAMS, all.subarray(5)),
      wire.record(wire.PARAMS),
    );
    expect(await client.ending).toBe('ECONNRESET');
    expect(fpm.requests).toEqual([]);
  });

  it('9: loses the connection over more STDIN than CONTENT_LENGTH', async () => {
    await using fpm = await start({ script: async (asked, response) => response.stdout(await asked.text()) });
    await using client = await WireClient.open(fpm.address);
    await client.send(request({ body: 'abcdef', params: { CONTENT_LENGTH: '3' } })).ended();
    client.send(request());
    expect(['ECONNRESET', 'EPIPE']).toContain(await client.ending);
    expect(client.text()).toBe('abc');
    expect(fpm.requests.length).toBe(1);
  });

  it('9: takes a body without CONTENT_LENGTH for empty', async () => {
    await using fpm = await start();
    await using client = await WireClient.open(fpm.address);
    const params = wire.record(wire.PARAMS, wire.pair('REQUEST_METHOD', 'POST'));
    client.send(wire.begin(true), params, wire.record(wire.PARAMS), wire.record(wire.STDIN, 'abc'));
    await client.ended();
    expect(await fpm.requests[0]?.text()).toBe('');
  });

  it('10: answers GET_VALUES and closes the connection', async () => {
    await using fpm = await start();
    await using client = await WireClient.open(fpm.address);
    client.send(wire.record(wire.GET_VALUES, wire.pair('FCGI_MPXS_CONNS', '')));
    expect(await client.ending).toBe('FIN');
    expect(client.records()).toMatchObject([
      { type: wire.GET_VALUES_RESULT, id: 0, content: wire.pair('FCGI_MPXS_CONNS', '0') },
    ]);
  });

  it('11: ignores ABORT_REQUEST: the script runs on to its end and is answered', async () => {
    const script = gate();
    await using fpm = await start({
      script: async (_request, response) => {
        await script.opened;
        await response.stdout('waited');
      },
    });
    await using client = await WireClient.open(fpm.address);
    client.send(request());
    await fpm.executed(1);
    client.send(wire.record(wire.ABORT));
    script.open();
    await client.ended();
    expect(client.text()).toBe('waited');
  });

  it('11: runs a POST whose body was cut short, with what there was of it', async () => {
    await using fpm = await start();
    const client = await WireClient.open(fpm.address);
    await client.written(request({ body: 'abcd', params: { CONTENT_LENGTH: '10' }, terminator: false }));
    client.close();
    await fpm.executed(1);
    const [only] = fpm.requests;
    expect([await only?.text(), only?.body.truncated]).toEqual(['abcd', true]);
  });

  it('12: ends a response by END_REQUEST alone, appStatus 0, in records of at most 8 KiB', async () => {
    await using fpm = await start({
      script: (_request, response) => {
        void response.stdout('a'.repeat(20_000));
        void response.stderr('oops');
        void response.stdout('b'.repeat(20_000));
      },
    });
    await using client = await WireClient.open(fpm.address);
    const records = await client.send(request()).ended();
    expect(client.text()).toBe('a'.repeat(20_000) + 'b'.repeat(20_000));
    expect(client.text(wire.STDERR)).toBe('oops');
    expect(records.map(({ type, content }) => [type, content.length])).toEqual([
      ...[8192, 8192, 3616].map((length) => [wire.STDOUT, length]),
      [wire.STDERR, 4],
      ...[8192, 8192, 3616].map((length) => [wire.STDOUT, length]),
      [wire.END, 8],
    ]);
    expect(records.at(-1)?.content).toEqual(Buffer.alloc(8));
    // Padded to a multiple of eight, as PHP-FPM pads.
    expect(records[3]?.padding).toBe(4);
  });

  it('13: skips an empty STDIN before BEGIN_REQUEST, and does not wait for the one after a body', async () => {
    await using fpm = await start({ script: async (asked, response) => response.stdout(await asked.text()) });
    await using client = await WireClient.open(fpm.address);
    for (const [index, body] of ['a', 'b', 'c'].entries()) {
      await client.send(request({ body, terminator: false })).ended(index + 1);
      client.send(wire.record(wire.STDIN));
    }
    expect(client.text()).toBe('abc');
    expect(fpm.accepted).toBe(1);
  });

  it('13: reads the whole body of a POST before the script starts, that of a PUT when the script asks', async () => {
    await using fpm = await start({ script: async (asked, response) => response.stdout(await asked.text()) });
    await using client = await WireClient.open(fpm.address);
    const half = { body: 'half ', terminator: false };
    await client.written(request({ ...half, params: { CONTENT_LENGTH: '10' } }));
    await turn();
    expect(fpm.requests).toEqual([]);
    await client.send(wire.record(wire.STDIN, 'whole')).ended();

    client.send(request({ ...half, params: { CONTENT_LENGTH: '10', REQUEST_METHOD: 'PUT' } }));
    await fpm.executed(2);
    await client.send(wire.record(wire.STDIN, 'whole')).ended(2);
    expect(client.text()).toBe('half wholehalf whole');
  });

  it('13: reads what the script left of the body before it ends the request', async () => {
    await using fpm = await start({ script: (_request, response) => void response.stdout('early') });
    await using client = await WireClient.open(fpm.address);
    client.send(
      request({ body: 'half ', terminator: false, params: { CONTENT_LENGTH: '10', REQUEST_METHOD: 'PUT' } }),
    );
    await fpm.executed(1);
    await turn();
    expect(client.records().some(({ type }) => type === wire.END)).toBe(false);
    await client.send(wire.record(wire.STDIN, 'whole')).ended();
    expect(await fpm.requests[0]?.text()).toBe('half whole');
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
