/**
 * How PHP-FPM behaves on a kept connection: the ground this library stands on, shown on the real one with bare
 * sockets. Where a PHP-FPM fails one of these, the library's promises have to be looked at again.
 */
import { describe, expect, it } from 'vitest';
import { gone, waitFor } from './support/index.ts';
import { ids, stage, states } from './support/stage.ts';
import * as wire from './support/wire.ts';

const post = { REQUEST_METHOD: 'POST', CONTENT_TYPE: 'text/plain' };

describe.concurrent.each(['unix', 'tcp'] as const)(
  'PHP-FPM on a kept connection (%s)',
  { timeout: 15_000 },
  (transport) => {
    it('1: counts a worker whose connection is idle and kept as busy', async () => {
      await using on = await stage({ transport, maxChildren: 2 });
      await waitFor(async () => (await states(on)).join() === 'Idle,Running');
      const kept = await on.connect();
      await kept.ask(on.run('echo.php', 'a'));
      await waitFor(async () => (await states(on)).join() === 'Reading headers,Running');
    });

    it('2: closes a connection on which nothing came for 5 s after accept', async () => {
      await using on = await stage({ transport });
      const silent = await on.connect();
      const begin = performance.now();
      expect(await silent.over()).toBe('FIN');
      expect(performance.now() - begin).toBeGreaterThan(4500);
      expect(performance.now() - begin).toBeLessThan(7000);
    });

    it('3: at pm.max_requests ends the response, sends FIN, and discards what comes until the client closes', async () => {
      await using on = await stage({ transport, maxRequests: 2 });
      const socket = await on.connect();
      await socket.ask(on.run('echo.php', '1'));
      await socket.ask(on.run('echo.php', '2'));
      expect(await socket.over()).toBe('FIN');
      const workers = await on.fpm.workers();
      for (const id of ['3', '4', '5']) socket.send(wire.request(on.run('echo.php', id)));
      // The worker is still there and nobody has come in its place: another client waits.
      const other = await on.connect();
      other.send(wire.request(on.run('echo.php', 'other')));
      expect(await on.fpm.workers()).toEqual(workers);
      expect(socket.error).toBeUndefined();
      socket.close();
      await gone(workers);
      await other.answer();
      expect(ids(on)).toEqual(['1', '2', 'other']);
    });

    it('4: counts pm.max_requests by worker, so a connection may be closed after its first request', async () => {
      await using on = await stage({ transport, maxRequests: 3 });
      const first = await on.connect();
      await first.ask(on.run('echo.php', '1'));
      await first.ask(on.run('echo.php', '2'));
      first.close();
      const second = await on.connect();
      await second.ask(on.run('echo.php', '3'));
      expect(await second.over()).toBe('FIN');
    });

    it('5: lets the next request wait for what runs after fastcgi_finish_request()', async () => {
      await using on = await stage({ transport });
      const socket = await on.connect();
      expect((await socket.ask(on.run('finish.php', 'first'))).body).toBe('early');
      socket.send(wire.request(on.run('echo.php', 'second')));
      expect(ids(on)).toEqual(['first']);
      on.release();
      await socket.answer();
      expect(ids(on)).toEqual(['first', 'tail', 'second']);
    });

    it('6: kills a worker by request_terminate_timeout that only idles on a kept connection', async () => {
      await using on = await stage({ transport, requestTerminateTimeout: 1 });
      const socket = await on.connect();
      await socket.ask(on.run('echo.php', 'a'));
      const workers = await on.fpm.workers();
      expect(await socket.over()).toBe('FIN');
      await gone(workers);
      await on.fpm.said(/execution timed out .* terminating/);
    });

    it('7: at a reload without process_control_timeout ends idle and busy connections at once, without an answer, and serves the next', async () => {
      await using on = await stage({ transport, maxChildren: 2, processControlTimeout: 0 });
      const idle = await on.connect();
      await idle.ask({ ...on.run('echo.php', 'idle'), terminator: false });
      const busy = await on.connect();
      busy.send(wire.request({ ...on.run('wait.php', 'busy'), terminator: false }));
      await waitFor(() => ids(on).includes('busy'));
      await on.fpm.reload();
      expect(await idle.over()).toBe('FIN');
      expect(await busy.over()).toBe('FIN');
      await expect(busy.answer()).rejects.toThrow('no answer');
      const fresh = await on.connect();
      await fresh.ask(on.run('echo.php', 'fresh'));
      on.release();
    });

    it('7: kills what is left after process_control_timeout, and accepts nobody before', async () => {
      await using on = await stage({
        transport,
        maxChildren: 3,
        processControlTimeout: 1,
        extra: '[global]\nlog_level = debug',
      });
      const idle = await on.connect();
      await idle.ask({ ...on.run('echo.php', 'idle'), terminator: false });
      await waitFor(async () => (await states(on)).includes('Reading headers'));
      const busy = await on.connect();
      busy.send(wire.request({ ...on.run('wait.php', 'busy'), terminator: false }));
      await waitFor(() => ids(on).includes('busy'));
      const begin = performance.now();
      on.fpm.kill('SIGUSR2');
      await on.fpm.said(/child\(ren\) still alive/);
      const fresh = await on.connect();
      fresh.send(wire.request(on.run('echo.php', 'fresh')));
      expect(await idle.over()).toBe('FIN');
      expect(await busy.over()).toBe('FIN');
      await expect(busy.answer()).rejects.toThrow('no answer');
      await fresh.answer();
      expect(performance.now() - begin).toBeGreaterThan(900);
      expect(ids(on)).toEqual(['idle', 'busy', 'fresh']);
      on.release();
    });

    it('7: with process_control_timeout lets what runs end, then resets the connection, the next request unread', async () => {
      await using on = await stage({
        transport,
        maxChildren: 3,
        processControlTimeout: 10,
        extra: '[global]\nlog_level = debug',
      });
      const idle = await on.connect();
      await idle.ask(on.run('echo.php', 'idle'));
      await waitFor(async () => (await states(on)).includes('Reading headers'));
      const busy = await on.connect();
      await busy.ask({ ...on.run('finish.php', 'busy'), terminator: false });
      on.fpm.kill('SIGUSR2');
      // Said when every worker has been sent its signal.
      await on.fpm.said(/child\(ren\) still alive/);
      // Not before the answer is here: Node reports data and a reset that come together as data and FIN.
      busy.send(wire.request(on.run('echo.php', 'never')));
      on.release();
      expect(await busy.over()).toBe('ECONNRESET');
      // An idle one stays, and holds up the reload, until it has served one more request.
      expect(idle.fin).toBe(false);
      await idle.ask({ ...on.run('echo.php', 'one more'), terminator: false });
      expect(await idle.over()).toBe('FIN');
      await on.fpm.said(/ready to handle connections.*ready to handle connections/s);
      expect(ids(on)).toEqual(['idle', 'busy', 'tail', 'one more']);
    });

    it.each([
      { content: 65535, padding: 0, fate: 'answers' },
      { content: 65528, padding: 7, fate: 'answers' },
      { content: 65535, padding: 1, fate: 'ECONNRESET' },
      { content: 65530, padding: 6, fate: 'ECONNRESET' },
    ])('8: $fate to PARAMS of $content bytes and $padding of padding', async ({ content, padding, fate }) => {
      await using on = await stage({ transport });
      const socket = await on.connect();
      const known = wire.pairs(on.run('echo.php', 'a').params);
      const filler = wire.pair('FILL', 'x'.repeat(content - known.length - 9));
      expect(known.length + filler.length).toBe(content);
      socket.send(
        wire.begin(true),
        wire.record(wire.PARAMS, Buffer.concat([known, filler]), padding),
        wire.record(wire.PARAMS),
        wire.record(wire.STDIN),
      );
      if (fate === 'answers') await socket.answer();
      else expect(await socket.over()).toBe(fate);
      expect(ids(on)).toEqual(fate === 'answers' ? ['a'] : []);
    });

    it('8: resets the connection where a pair crosses two PARAMS records', async () => {
      await using on = await stage({ transport });
      const socket = await on.connect();
      const all = wire.pairs(on.run('echo.php', 'a').params);
      socket.send(
        wire.begin(true),
        wire.record(wire.PARAMS, all.subarray(0, 30)),
        wire.record(wire.PARAMS, all.subarray(30)),
        wire.record(wire.PARAMS),
        wire.record(wire.STDIN),
      );
      expect(await socket.over()).toBe('ECONNRESET');
      expect(ids(on)).toEqual([]);
    });

    it('9: loses the connection over more STDIN than CONTENT_LENGTH', async () => {
      await using on = await stage({ transport });
      const socket = await on.connect();
      const { params } = on.run('echo.php', 'a', { ...post, CONTENT_LENGTH: '3' });
      expect((await socket.ask({ params, body: 'abcdef' })).body).toBe('abc');
      socket.send(wire.request(on.run('echo.php', 'b')));
      expect(['FIN', 'ECONNRESET', 'EPIPE']).toContain(await socket.over());
      expect(ids(on)).toEqual(['a']);
    });

    it('9: takes a body without CONTENT_LENGTH for empty', async () => {
      await using on = await stage({ transport });
      const socket = await on.connect();
      const { params } = on.run('echo.php', 'a', post);
      socket.send(
        wire.begin(true),
        wire.record(wire.PARAMS, wire.pairs(params)),
        wire.record(wire.PARAMS),
        wire.record(wire.STDIN, 'abc'),
        wire.record(wire.STDIN),
      );
      expect((await socket.answer()).body).toBe('');
    });

    it('10: answers GET_VALUES, and then serves on or closes the connection', async () => {
      await using on = await stage({ transport });
      const socket = await on.connect();
      socket.send(wire.record(wire.GET_VALUES, wire.pair('FCGI_MPXS_CONNS', ''), 0, 0));
      const { content } = await socket.next(wire.GET_VALUES_RESULT);
      expect(content).toEqual(wire.pair('FCGI_MPXS_CONNS', '0'));
      const asked = socket.ask(on.run('echo.php', 'a', post)).then(({ body }) => `served ${body}`);
      expect(['served ', 'Error: no answer: FIN']).toContain(await asked.catch(String));
    });

    it('11: ignores ABORT_REQUEST: the script runs on to its end and is answered', async () => {
      await using on = await stage({ transport });
      const socket = await on.connect();
      socket.send(wire.request(on.run('wait.php', 'a')));
      await waitFor(() => ids(on).includes('a'));
      socket.send(wire.record(wire.ABORT));
      on.release();
      expect((await socket.answer()).body).toBe('waited');
    });

    it('11: runs a POST whose body was cut short, with as many whole blocks of 16 KiB as came', async () => {
      await using on = await stage({ transport });
      for (const [sent, seen] of [
        [4, 0],
        [20_000, 16_384],
      ] as const) {
        const socket = await on.connect();
        const { params } = on.run('length.php', `${sent}`, { ...post, CONTENT_LENGTH: '30000' });
        socket.send(wire.request({ params, body: 'x'.repeat(sent), terminator: false }));
        socket.half();
        await waitFor(() => ids(on).at(-1) === `length ${seen}`);
        socket.close();
      }
      expect(ids(on)).toEqual(['4', 'length 0', '20000', 'length 16384']);
    });

    it('11: waits for the rest of a POST whose STDIN was ended behind a part of it, and runs it with that once the client closes', async () => {
      await using on = await stage({ transport, maxChildren: 2 });
      const socket = await on.connect();
      const { params } = on.run('length.php', 'a', { ...post, CONTENT_LENGTH: '10' });
      socket.send(wire.request({ params, body: 'abcd' }));
      // The same, but with nothing in front of the end: it runs at once, and its connection is kept.
      const other = await on.connect();
      const none = on.run('length.php', 'b', { ...post, CONTENT_LENGTH: '10' });
      await other.ask({ ...none, body: '', terminator: true });
      await other.ask(on.run('length.php', 'c'));
      expect(ids(on)).toEqual(['b', 'length 0', 'c', 'length 0']);
      socket.half();
      await waitFor(() => ids(on).includes('length 4'));
    });

    it('12: ends a response by END_REQUEST alone, appStatus 0 whatever exit() says; STDERR comes in between', async () => {
      await using on = await stage({ transport });
      const socket = await on.connect();
      const { records, appStatus, body, stderr } = await socket.ask(on.run('loud.php', 'a'));
      expect(body).toBe('a'.repeat(20000) + 'b'.repeat(20000));
      expect(appStatus).toBe(0);
      expect(stderr).toContain('oops');
      const types = records.map(({ type }) => type);
      expect(types.indexOf(wire.STDERR)).toBeGreaterThan(types.indexOf(wire.STDOUT));
      expect(types.indexOf(wire.STDERR)).toBeLessThan(types.lastIndexOf(wire.STDOUT));
      expect(records.filter(({ content }) => content.length === 0)).toEqual([]);
    });

    it('12: gathers what is written in small pieces into records of up to 8 KiB, the head among them', async () => {
      await using on = await stage({ transport });
      const socket = await on.connect();
      const { records, stdout } = await socket.ask(on.run('small.php', 'a'));
      const lengths = records.slice(0, -1).map(({ content }) => content.length);
      expect(lengths.length).toBeGreaterThan(2);
      expect(Math.max(...lengths)).toBeLessThanOrEqual(8192);
      // A header of 9000 bytes crosses the border of two records.
      expect(stdout.indexOf('\r\n\r\n')).toBeGreaterThan(Math.max(...lengths));
    });

    it('13: skips an empty STDIN before BEGIN_REQUEST, and does not wait for the one after a body', async () => {
      await using on = await stage({ transport });
      const socket = await on.connect();
      for (const id of ['a', 'b', 'c']) {
        socket.send(wire.request({ ...on.run('echo.php', id, post), body: `body ${id}`, terminator: false }));
        expect((await socket.answer()).body).toBe(`body ${id}`);
        socket.send(wire.record(wire.STDIN));
      }
      expect(ids(on)).toEqual(['a', 'b', 'c']);
    });

    it('13: reads the whole body of a POST before the script starts, that of a PUT when the script asks', async () => {
      await using on = await stage({ transport, maxChildren: 2 });
      const socket = await on.connect();
      const first = { body: 'half ', terminator: false };
      const length = { CONTENT_LENGTH: '10' };
      socket.send(wire.request({ ...on.run('echo.php', 'POST', { ...post, ...length }), ...first }));
      // Older versions write 'informations'.
      await waitFor(async () => /Getting request information/.test((await states(on)).join()));
      expect(ids(on)).toEqual([]);
      socket.send(wire.record(wire.STDIN, 'whole'));
      expect((await socket.answer()).body).toBe('half whole');

      socket.send(
        wire.request({
          ...on.run('echo.php', 'PUT', { ...post, ...length, REQUEST_METHOD: 'PUT' }),
          ...first,
        }),
      );
      await waitFor(() => ids(on).includes('PUT'));
      socket.send(wire.record(wire.STDIN, 'whole'));
      expect((await socket.answer()).body).toBe('half whole');
    });

    it('13: reads what the script left of the body of a PUT before it ends the request', async () => {
      await using on = await stage({ transport, maxChildren: 2 });
      const socket = await on.connect();
      const length = { REQUEST_METHOD: 'PUT', CONTENT_LENGTH: '10' };
      socket.send(wire.request({ ...on.run('early.php', 'a', length), body: 'half ', terminator: false }));
      await socket.next(wire.STDOUT);
      await waitFor(() => ids(on).includes('ran'));
      let over = false;
      const end = socket.next(wire.END).then(() => {
        over = true;
      });
      // The worker of the page itself, and ours, which waits.
      expect((await states(on)).filter((state) => state !== 'Idle').length).toBe(2);
      expect(over).toBe(false);
      socket.send(wire.record(wire.STDIN, 'whole'));
      await end;
    });

    it('15: answers under the id of the request, whatever it is; STDERR behind fastcgi_finish_request() comes behind END_REQUEST under the old one, in records of 8,184 bytes, and the rest is lost', async () => {
      await using on = await stage({ transport });
      const socket = await on.connect();
      for (const [index, id] of [7, 65_535, 0].entries()) {
        const { params } = on.run('late.php', `${index}`);
        socket.send(
          wire.record(wire.BEGIN, Buffer.from([0, 1, 1, 0, 0, 0, 0, 0]), 0, id),
          wire.record(wire.PARAMS, wire.pairs(params), 0, id),
          wire.record(wire.PARAMS, '', 0, id),
        );
        const records = [...(await socket.answer()).records, await socket.next(wire.STDERR)];
        expect(records.map((one) => [one.type, one.id])).toEqual([
          [wire.STDOUT, id],
          [wire.END, id],
          [wire.STDERR, id],
        ]);
        expect(records.at(-1)?.content.length).toBe(8184);
      }
      const { stderr } = await socket.ask(on.run('echo.php', 'last'));
      expect(stderr).toBe('');
    });

    it('17: keeps a setting that one request has made by PHP_VALUE for those of other connections, too', async () => {
      await using on = await stage({ transport });
      const first = await on.connect();
      await first.ask(on.run('limit.php', 'a', { PHP_VALUE: 'memory_limit=77M' }));
      first.close();
      const second = await on.connect();
      expect((await second.ask(on.run('limit.php', 'b'))).body).toBe('77M');
    });

    it('14: never accepts who waits while its kept connection has a next request', async () => {
      await using on = await stage({ transport });
      const kept = await on.connect();
      await kept.ask(on.run('echo.php', 'kept'));
      const waiting = await on.connect();
      waiting.send(wire.request(on.run('echo.php', 'waiting')));
      for (let i = 0; i < 300; i++) await kept.ask(on.run('echo.php', 'kept'));
      expect(on.log.executions()).toEqual(new Map([['kept', 301]]));
      kept.close();
      await waiting.answer();
      expect(on.log.executions().get('waiting')).toBe(1);
    });
  },
);
