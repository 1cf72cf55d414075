/**
 * The fake is held to the facts that test/fpm/facts.test.ts shows on the real PHP-FPM, under the same numbers. Those on
 * requests and responses are here, those on connections and workers in connection-facts.test.ts.
 */
import { describe, expect, it } from 'vitest';
import { type FakeFpm, type FakeFpmOptions, startFakeFpm } from '../../src/testing/index.ts';
import { gate, turn } from './support/gate.ts';
import * as wire from './support/wire.ts';
import { request, WireClient } from './support/wire.ts';

/** A request whose BEGIN_REQUEST has this one. */
function ofVersion(version: number): Buffer {
  const bytes = request();
  bytes[0] = version;
  return bytes;
}

describe.each(['unix', 'tcp'] as const)('the fake PHP-FPM on a kept connection (%s)', (transport) => {
  function start(options: FakeFpmOptions = {}): Promise<FakeFpm> {
    return startFakeFpm({ transport, workers: 1, ...options });
  }

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

  it.each([2, 255])('takes version %i for 1', async (version) => {
    await using fpm = await start();
    await using client = await WireClient.open(fpm.address);
    await client.send(ofVersion(version)).ended();
    expect(fpm.requests.length).toBe(1);
  });

  it('ends the connection over version 0', async () => {
    await using fpm = await start();
    await using client = await WireClient.open(fpm.address);
    client.send(ofVersion(0));
    expect(['ECONNRESET', 'EPIPE']).toContain(await client.ending);
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

  it('10 and 21: answers GET_VALUES with FCGI_MPXS_CONNS alone, and then a request on the same connection', async () => {
    await using fpm = await start();
    await using client = await WireClient.open(fpm.address);
    const names = ['FCGI_MAX_CONNS', 'FCGI_MAX_REQS', 'FCGI_MPXS_CONNS'];
    client.send(wire.record(wire.GET_VALUES, Buffer.concat(names.map((name) => wire.pair(name, '')))));
    client.send(request());
    await client.ended();
    expect(client.records().slice(0, 1)).toMatchObject([
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

  it.each([
    { sent: 4, ran: 0 },
    { sent: 16_383, ran: 0 },
    { sent: 16_384, ran: 16_384 },
    { sent: 40_000, ran: 32_768 },
  ])(
    '11: runs a POST whose body was cut short after $sent bytes, with as many whole blocks of 16 KiB as came: $ran',
    async ({ sent, ran }) => {
      await using fpm = await start();
      const client = await WireClient.open(fpm.address);
      const params = { CONTENT_LENGTH: '50000' };
      await client.written(request({ body: 'x'.repeat(sent), params, terminator: false }));
      client.close();
      await fpm.executed(1);
      const [only] = fpm.requests;
      expect([(await only?.text())?.length, only?.body.truncated]).toEqual([ran, true]);
    },
  );

  it('11: waits for the rest of one whose STDIN was ended behind a part of it, and runs it with that once the client closes', async () => {
    await using fpm = await start();
    await using client = await WireClient.open(fpm.address);
    await client.written(request({ body: 'abcd', params: { CONTENT_LENGTH: '10' } }));
    await turn();
    expect(fpm.requests).toEqual([]);
    client.socket.end();
    await client.ended();
    const [only] = fpm.requests;
    expect([await only?.text(), only?.body.truncated]).toEqual(['abcd', true]);
  });

  it('11: runs one without a body, whatever its CONTENT_LENGTH, once its STDIN is ended, and keeps the connection', async () => {
    await using fpm = await start();
    await using client = await WireClient.open(fpm.address);
    const params = { REQUEST_METHOD: 'POST', CONTENT_LENGTH: '10' };
    await client.send(request({ params })).ended();
    await client.send(request()).ended(2);
    const [only] = fpm.requests;
    expect([await only?.text(), only?.body.truncated, fpm.accepted]).toEqual(['', true, 1]);
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

  it('15: answers under the id of the request, whatever it is; STDERR behind an early end comes behind END_REQUEST under the old one, in records of 8,184 bytes, and the rest is lost', async () => {
    await using fpm = await start({
      script: async ({ params }, response) => {
        await response.stdout('early');
        if (params['ID'] === 'last') return;
        await response.finishEarly();
        for (let i = 0; i < 10; i++) void response.stderr('e'.repeat(900));
      },
    });
    await using client = await WireClient.open(fpm.address);
    const ids = [7, 65_535, 0];
    for (const [index, id] of ids.entries()) {
      client.send(
        wire.record(1, Buffer.from([0, 1, 1, 0, 0, 0, 0, 0]), 0, id),
        wire.record(wire.PARAMS, wire.pair('ID', 'late'), 0, id),
        wire.record(wire.PARAMS, '', 0, id),
      );
      await client.ended(index + 1);
    }
    const records = await client.send(request({ id: 'last' })).ended(4);
    expect(records.map(({ type, id, content }) => [type, id, content.length])).toEqual([
      ...ids.flatMap((id) => [
        [wire.STDOUT, id, 5],
        [wire.END, id, 8],
        [wire.STDERR, id, 8184],
      ]),
      [wire.STDOUT, 1, 5],
      [wire.END, 1, 8],
    ]);
  });
});
