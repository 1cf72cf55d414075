/**
 * What ends php-fpm and removes its files when we cannot: after SIGKILL, a crash, or a lost machine's console. A
 * shell waits for the end of a pipe that only we hold open.
 */
import { type ChildProcess, spawn } from 'node:child_process';

// Each line is the process group to end, or '' for none. Our signals, the terminal's and a service manager's are not for the guard.
const script = `
trap '' HUP INT QUIT TERM USR1 USR2
group=
while IFS= read -r line; do group=$line; done
[ -n "$group" ] && kill -TERM "-$group" 2>/dev/null
rm -rf -- "$1"
`;

export class Guard {
  readonly #shell: ChildProcess;
  readonly #exited: Promise<void>;

  /** `folder` is removed in the end. Where there is no `sh` there is no guard. */
  constructor(folder: string) {
    this.#shell = spawn('sh', ['-c', script, 'fastcgi-pool-guard', folder], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#exited = new Promise((resolve) => {
      this.#shell.once('error', () => resolve());
      this.#shell.once('exit', () => resolve());
    });
    this.#shell.stdin?.on('error', () => {});
    this.#shell.unref();
  }

  /** From now on this process group is the one to end; null: none is. */
  watch(group: number | null): void {
    this.#shell.stdin?.write(`${group ?? ''}\n`);
  }

  /** Resolves when the group is told to end, the folder is removed, and the guard gone. */
  async release(): Promise<void> {
    // Else nothing might keep this process alive until the guard is gone.
    this.#shell.ref();
    this.#shell.stdin?.end();
    await this.#exited;
  }
}
