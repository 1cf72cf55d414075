/** The model of PHP-FPM does what the real one was seen to do (test/fpm/facts.test.ts). */
import { describe, expect, it } from 'vitest';
import { request } from '../fpm/support/wire.ts';
import { type FpmOptions, SimFpm } from './fpm.ts';
import { SimSocket } from './socket.ts';
import { Loop, VirtualTime } from './time.ts';

interface Client {
  readonly socket: SimSocket;
  /** 'answer', 'FIN' and 'reset', as they came. */
  readonly seen: string[];
  ask(id: string, more?: Record<string, string>): void;
}

function stage(options: FpmOptions, ackDelay = 0): { time: VirtualTime; fpm: SimFpm; connect(): Client } {
  const time = new VirtualTime();
  const fpm = new SimFpm(time, { overhead: 0, ...options });
  const loop = new Loop();
  return {
    time,
    fpm,
    connect: () => {
      const socket = new SimSocket(time, loop, 0, () => ackDelay);
      const seen: string[] = [];
      socket.receive = () => seen.push('answer');
      socket.on('end', () => seen.push('FIN'));
      socket.on('error', () => seen.push('reset'));
      if (fpm.connect(socket) !== '') seen.push('refused');
      return {
        socket,
        seen,
        ask: (ID, more = {}) =>
          socket.write(request({ params: { ID, MS: '10', ...more }, terminator: false })),
      };
    },
  };
}

describe('the model of PHP-FPM', () => {
  it('1 and 14: a worker belongs to its connection until that closes; what waits in the backlog waits for it', async () => {
    const { time, fpm, connect } = stage({ workers: 1 });
    const [kept, waiting] = [connect(), connect()];
    kept.ask('a');
    waiting.ask('b');
    await time.run(1_000);
    kept.ask('c');
    await time.run(2_000);
    expect([...fpm.ran.keys()]).toEqual(['a', 'c']);
    kept.socket.destroy();
    await time.run(3_000);
    expect([...fpm.ran.keys()]).toEqual(['a', 'c', 'b']);
    expect(waiting.seen).toEqual(['answer']);
  });

  it('3: at pm.max_requests it answers, ends its side, and discards what comes until the client closes', async () => {
    const { time, fpm, connect } = stage({ workers: 1, maxRequests: 1 });
    const [kept, waiting] = [connect(), connect()];
    kept.ask('a');
    waiting.ask('b');
    await time.run(100);
    expect(kept.seen).toEqual(['answer', 'FIN']);
    kept.ask('raced');
    await time.run(1_000);
    expect([...fpm.ran.keys()]).toEqual(['a']);
    kept.socket.destroy();
    await time.run(2_000);
    expect([...fpm.ran.keys()]).toEqual(['a', 'b']);
    expect(kept.seen).toEqual(['answer', 'FIN']);
  });

  it('5: the next request waits for what runs behind fastcgi_finish_request()', async () => {
    const { time, fpm, connect } = stage({ workers: 1 });
    const kept = connect();
    kept.ask('a', { TAIL: '500' });
    await time.run(20);
    expect(kept.seen).toEqual(['answer']);
    kept.ask('b');
    await time.run(505);
    expect([...fpm.ran.keys()]).toEqual(['a']);
    await time.run(600);
    expect(kept.seen).toEqual(['answer', 'answer']);
  });

  it('7: a reload lets busy workers finish, which then read no more; idle connections get FIN at once', async () => {
    const { time, fpm, connect } = stage({ workers: 2 });
    const [busy, idle] = [connect(), connect()];
    busy.ask('a', { MS: '200' });
    idle.ask('b');
    await time.run(50);
    fpm.reload();
    busy.ask('too late');
    await time.run(100);
    expect([busy.seen, idle.seen]).toEqual([[], ['answer', 'FIN']]);
    await time.run(1_000);
    expect(busy.seen).toEqual(['answer', 'reset']);
    expect([...fpm.ran.keys()]).toEqual(['a', 'b']);
    expect(fpm.workers).toBe(2);
  });

  it('7: without process_control_timeout it kills them in the middle of their scripts', async () => {
    const { time, fpm, connect } = stage({ workers: 1, waits: false });
    const busy = connect();
    busy.ask('a', { MS: '200' });
    await time.run(50);
    fpm.reload();
    await time.run(1_000);
    expect(busy.seen).toEqual(['FIN']);
    expect([fpm.ran.get('a'), fpm.answered.has('a')]).toEqual([1, false]);
  });

  it('refuses what the backlog has no place for', () => {
    const { connect } = stage({ workers: 0, backlog: 1 });
    expect([connect().seen, connect().seen]).toEqual([[], ['refused']]);
  });

  it('starts workers as pm says: all, one a second while none is free, or one for a connection that waits', async () => {
    const workers = async (options: FpmOptions): Promise<number[]> => {
      const { time, fpm, connect } = stage(options);
      const before = fpm.workers;
      for (const id of ['a', 'b', 'c']) connect().ask(id, { MS: '10000' });
      await time.run(500);
      const soon = fpm.workers;
      await time.run(1_500);
      return [before, soon, fpm.workers];
    };
    expect(await workers({ workers: 4, pm: 'static' })).toEqual([4, 4, 4]);
    expect(await workers({ workers: 4, pm: 'dynamic' })).toEqual([1, 1, 2]);
    expect(await workers({ workers: 4, pm: 'ondemand' })).toEqual([0, 3, 3]);
  });

  it('over tcp the second piece of a response waits for an acknowledgement on a connection that goes back and forth', async () => {
    const { time, connect } = stage({ workers: 1, isLong: true }, 40);
    const { ask, seen } = connect();
    ask('a');
    await time.run(10);
    expect(seen).toEqual(['answer', 'answer']);
    ask('b');
    await time.run(59);
    expect(seen).toEqual(['answer', 'answer', 'answer']);
    await time.run(60);
    expect(seen).toEqual(['answer', 'answer', 'answer', 'answer']);
  });

  it('what waits for an acknowledgement goes out as soon as we send something, or the worker ends its side', async () => {
    const { time, connect } = stage({ workers: 1, isLong: true, maxRequests: 3 }, 40);
    const { ask, seen } = connect();
    ask('a');
    await time.run(10);
    ask('b');
    await time.run(20);
    ask('c');
    await time.run(20.1);
    expect(seen).toEqual(['answer', 'answer', 'answer', 'answer']);
    await time.run(31);
    expect(seen.slice(4)).toEqual(['answer', 'answer', 'FIN']);
  });
});
