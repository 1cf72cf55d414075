/** One run of php-fpm in the foreground: its readiness, its words, its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { delay, settlesWithin } from '../delay.ts';
import { printable } from '../text.ts';

export interface MasterOptions {
  readonly program: string;
  readonly args: readonly string[];
  /** What asks it to let requests finish and end. */
  readonly stopSignal: NodeJS.Signals;
  /** Another user to run as. */
  readonly ids: { readonly uid: number; readonly gid: number } | null;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** The socket it is to listen on. */
  readonly socket: string;
  /** Its warnings and errors: one line, safe to print. */
  readonly say: (line: string) => void;
  /** A line that PHP has logged, or a script has written to stderr, as it came. */
  readonly php: (line: string) => void;
  readonly kill: (pid: number, signal: NodeJS.Signals) => void;
}

/** Milliseconds for the socket to answer; opcache's preloading may take its time. */
const READY_LIMIT = 30_000;
/** Milliseconds between two looks at the socket: the first page waits for it. */
const POLL = 2;
const LAST_WORDS_LIMIT = 500;

export class Master {
  /** Resolves when it accepts connections; rejects with its own words where it ends before, or takes too long. */
  readonly ready: Promise<void>;
  /** Resolves when it has ended, with its last complaint or the status it ended with. */
  readonly exited: Promise<string>;
  readonly #child: ChildProcess;
  readonly #options: MasterOptions;
  readonly #complaints: string[] = [];
  #isReady = false;
  #over = false;

  constructor(options: MasterOptions) {
    this.#options = options;
    this.#child = spawn(options.program, [...options.args], {
      cwd: options.cwd,
      env: options.env,
      ...options.ids,
      // A process group of its own: Ctrl-C in the terminal is for us, who let requests finish first.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    if (this.#child.stderr) {
      createInterface({ input: this.#child.stderr, crlfDelay: Number.POSITIVE_INFINITY })
        .on('line', (line) => this.#onLine(line))
        .on('error', () => {});
    }
    this.exited = this.#waitForEnd();
    this.ready = this.#waitForSocket();
    // Whoever stops it during the start is not interested.
    this.ready.catch(() => {});
  }

  /** Also the id of the process group, workers included. */
  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  /** Lets requests finish; after `limit` milliseconds kills what is left. */
  async stop(limit: number): Promise<void> {
    if (!this.#over) this.#child.kill(this.#options.stopSignal);
    await settlesWithin(limit, this.exited);
    this.killGroup('SIGKILL');
    await this.exited;
  }

  /** Workers whose master was killed would wait on for ever, and hold the socket. */
  killGroup(signal: NodeJS.Signals): void {
    if (this.#child.pid !== undefined) this.#options.kill(-this.#child.pid, signal);
  }

  #onLine(line: string): void {
    const [, level, text] = /^\[[^\]]*\] (NOTICE|WARNING|ERROR|ALERT|DEBUG): (.*)$/.exec(line) ?? [];
    const isOfPhp = text?.startsWith('PHP message: ') ?? false;
    if ((level === 'NOTICE' && !isOfPhp) || level === 'DEBUG') return;
    if (!this.#isReady) this.#complaints.push(printable(text ?? line));
    // A worker's line has no date; php-fpm calls every message of PHP a notice, fatal errors too.
    else if (text === undefined || isOfPhp) this.#options.php(text ?? line);
    else this.#options.say(printable(`php-fpm: ${text}`));
  }

  #waitForEnd(): Promise<string> {
    return new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#over = true;
        // of a missing folder Node says that the program is missing
        const { cwd } = this.#options;
        resolve(existsSync(cwd) ? error.message : printable(`there is no folder ${cwd} any more`));
      });
      this.#child.once('exit', (status, signal) => {
        this.#over = true;
        this.killGroup('SIGTERM');
        const end = signal === null ? `it exited with status ${status}` : `it was ended by ${signal}`;
        const finish = (): void => {
          clearTimeout(timer);
          resolve(this.#complaints.length === 0 ? end : this.#complaints.slice(-3).join('; '));
        };
        // Its last words come up to 'close'; which does not come while something it started holds its stderr.
        const timer = setTimeout(finish, LAST_WORDS_LIMIT);
        this.#child.once('close', finish);
      });
    });
  }

  async #waitForSocket(): Promise<void> {
    const deadline = performance.now() + READY_LIMIT;
    while (!this.#over) {
      if (await accepts(this.#options.socket)) {
        this.#isReady = true;
        for (const words of this.#complaints.splice(0)) this.#options.say(`php-fpm: ${words}`);
        return;
      }
      if (performance.now() > deadline) throw new Error(`its socket did not answer within ${READY_LIMIT} ms`);
      await delay(POLL);
    }
    throw new Error(await this.exited);
  }
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
