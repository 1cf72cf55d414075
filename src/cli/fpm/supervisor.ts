/** Keeps a server process running: starts it again when it ends, less and less eagerly, and gives up in the end. */
import { delay as wait } from '../delay.ts';

/** One run of the process; see Master. */
export interface Run {
  readonly pid: number | null;
  readonly ready: Promise<void>;
  readonly exited: Promise<string>;
  stop(limit: number): Promise<void>;
  killGroup(signal: NodeJS.Signals): void;
}

export interface SupervisorOptions {
  /** For messages. */
  readonly name: string;
  readonly launch: () => Run;
  /** The process group that runs now, or null; before anybody can ask it anything. */
  readonly running: (group: number | null) => void;
  readonly say: (line: string) => void;
  /** Milliseconds before it is started again; doubles with each end in a row, up to `longest`. Default 100. */
  readonly shortest?: number;
  /** Milliseconds; default 5000. A run that lasts as long ends the row. */
  readonly longest?: number;
  /** It gives up after as many starts in a row that failed. Default 5. */
  readonly attempts?: number;
}

export class Supervisor {
  /** Resolves with the reason when it has given up; never, where it is stopped first. */
  readonly gaveUp: Promise<Error>;
  readonly #options: Required<SupervisorOptions>;
  readonly #stopping = new AbortController();
  #current: Run | null = null;
  #giveUp: (error: Error) => void = () => {};
  #watching: Promise<void> = Promise.resolve();

  constructor(options: SupervisorOptions) {
    this.#options = { shortest: 100, longest: 5000, attempts: 5, ...options };
    this.gaveUp = new Promise((resolve) => {
      this.#giveUp = resolve;
    });
  }

  /** Resolves when it is ready. The first start is not tried again: what is wrong with it will stay so. */
  async start(): Promise<void> {
    const run = this.#launch();
    try {
      await run.ready;
    } catch (error) {
      await run.stop(0);
      this.#options.running(null);
      throw error;
    }
    this.#watching = this.#watch(run);
  }

  /** Lets the process finish for `limit` milliseconds at most. */
  async stop(limit: number): Promise<void> {
    this.#stopping.abort();
    await this.#current?.stop(limit);
    await this.#watching;
    this.#options.running(null);
  }

  /** It is not started again any more; somebody else ends it. */
  release(): void {
    this.#stopping.abort();
  }

  /** Ends it now, whatever it does; nothing is started again. */
  kill(): void {
    this.#stopping.abort();
    this.#current?.killGroup('SIGKILL');
  }

  #launch(): Run {
    const run = this.#options.launch();
    this.#current = run;
    this.#options.running(run.pid);
    return run;
  }

  async #watch(first: Run): Promise<void> {
    const { name, shortest, longest, attempts, say } = this.#options;
    const { signal } = this.#stopping;
    let run = first;
    let began = performance.now();
    let pause = shortest;
    for (let failures = 0; ; ) {
      const why = await run.exited;
      this.#options.running(null);
      if (signal.aborted) return;
      if (performance.now() - began >= longest) pause = shortest;
      say(`${name} ended: ${why}; starting it again`);
      await wait(pause, signal);
      if (signal.aborted) return;
      pause = Math.min(pause * 2, longest);
      run = this.#launch();
      began = performance.now();
      try {
        await run.ready;
        failures = 0;
      } catch (error) {
        failures += 1;
        await run.stop(0);
        if (failures < attempts) continue;
        const reason = error instanceof Error ? error.message : String(error);
        this.#giveUp(new Error(`${name} does not start any more: ${reason}`));
        return;
      }
    }
  }
}
