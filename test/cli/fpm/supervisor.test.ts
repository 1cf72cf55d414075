import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Run, Supervisor } from '../../../src/cli/fpm/supervisor.ts';

/** A process that is ready and ends when the test says so. */
class FakeRun implements Run {
  readonly pid: number;
  readonly ready: Promise<void>;
  readonly exited: Promise<string>;
  readonly signals: string[] = [];
  becomeReady: () => void = () => {};
  end: (why: string) => void = () => {};

  constructor(pid: number) {
    this.pid = pid;
    this.exited = new Promise((resolve) => {
      this.end = resolve;
    });
    const failed = this.exited.then((why) => Promise.reject(new Error(why)));
    this.ready = Promise.race([
      new Promise<void>((resolve) => {
        this.becomeReady = resolve;
      }),
      failed,
    ]);
    this.ready.catch(() => {});
  }

  async stop(limit: number): Promise<void> {
    this.signals.push(`stop ${limit}`);
    this.end('stopped');
  }

  killGroup(signal: NodeJS.Signals): void {
    this.signals.push(signal);
    this.end('killed');
  }
}

let runs: FakeRun[];
let groups: (number | null)[];
let said: string[];
let supervisor: Supervisor;

beforeEach(() => {
  vi.useFakeTimers();
  runs = [];
  groups = [];
  said = [];
  supervisor = new Supervisor({
    name: 'php-fpm',
    launch: () => {
      const run = new FakeRun(100 + runs.length);
      runs.push(run);
      return run;
    },
    running: (group) => groups.push(group),
    say: (line) => said.push(line),
    attempts: 3,
  });
});
afterEach(() => {
  vi.useRealTimers();
});

async function started(): Promise<void> {
  const start = supervisor.start();
  runs[0]?.becomeReady();
  await start;
}

const run = (index: number): FakeRun => runs[index] ?? expect.fail(`no run ${index}`);

describe('the first start', () => {
  it('is over when the process is ready', async () => {
    await started();
    expect([runs.length, groups]).toEqual([1, [100]]);
  });

  it('that fails is not tried again: its reason is ours', async () => {
    const start = supervisor.start();
    run(0).end('ERROR: no such user');
    await expect(start).rejects.toThrow('ERROR: no such user');
    await vi.advanceTimersByTimeAsync(60_000);
    expect([runs.length, groups.at(-1)]).toEqual([1, null]);
  });
});

describe('a process that ends', () => {
  it('is started again, and that is said', async () => {
    await started();
    run(0).end('it was ended by SIGKILL');
    await vi.advanceTimersByTimeAsync(100);
    expect(said).toEqual(['php-fpm ended: it was ended by SIGKILL; starting it again']);
    expect([runs.length, groups]).toEqual([2, [100, null, 101]]);
  });

  it('again and again is started after longer and longer pauses, 5 seconds at most', async () => {
    await started();
    const pauses: number[] = [];
    for (let index = 0; index < 8; index += 1) {
      run(index).end('crash');
      const before = Date.now();
      while (runs.length === index + 1) await vi.advanceTimersByTimeAsync(100);
      pauses.push(Date.now() - before);
      run(index + 1).becomeReady();
      await vi.advanceTimersByTimeAsync(0);
    }
    expect(pauses).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000]);
  });

  it('after a long life is started again at once', async () => {
    await started();
    for (const index of [0, 1]) {
      run(index).end('crash');
      await vi.advanceTimersByTimeAsync(500);
      run(index + 1).becomeReady();
      await vi.advanceTimersByTimeAsync(5000);
    }
    run(2).end('crash');
    await vi.advanceTimersByTimeAsync(100);
    expect(runs.length).toBe(4);
  });

  it('and does not start any more is given up, with its reason', async () => {
    await started();
    run(0).end('crash');
    for (const index of [1, 2, 3]) {
      await vi.advanceTimersByTimeAsync(5000);
      run(index).end('ERROR: disk full');
    }
    expect(await supervisor.gaveUp).toEqual(new Error('php-fpm does not start any more: ERROR: disk full'));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(runs.length).toBe(4);
  });
});

describe('stop', () => {
  it('lets it finish, and starts nothing again', async () => {
    await started();
    await supervisor.stop(4000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([run(0).signals, runs.length, said, groups.at(-1)]).toEqual([['stop 4000'], 1, [], null]);
  });

  it('during a pause does not wait for it to end', async () => {
    await started();
    run(0).end('crash');
    await vi.advanceTimersByTimeAsync(50);
    await supervisor.stop(4000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(runs.length).toBe(1);
  });

  it('during a new start stops that', async () => {
    await started();
    run(0).end('crash');
    await vi.advanceTimersByTimeAsync(100);
    await supervisor.stop(4000);
    expect(run(1).signals).toContain('stop 4000');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(runs.length).toBe(2);
  });

  it('at once kills the whole group', async () => {
    await started();
    supervisor.kill();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([run(0).signals, runs.length]).toEqual([['SIGKILL'], 1]);
  });
});
