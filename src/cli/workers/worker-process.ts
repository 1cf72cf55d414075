/** One worker as the first process sees it; the supervisor starts another where it ends. */
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { StatusReport } from '../../observe/status/report.ts';
import { settlesWithin } from '../delay.ts';
import type { Run } from '../fpm/supervisor.ts';
import { cutAfter } from '../serve/limits.ts';
import { type FromWorker, isFromWorker, type Setup, type ToWorker } from './messages.ts';

/** Milliseconds. */
const READY_LIMIT = 30_000;
/** What a worker has beyond the limit for its requests: scripts that go on, and its own end. */
const END_LIMIT = 7000;
/** A worker that is busy with something else for longer is left out of the status page. */
const REPORT_LIMIT = 1000;

/** What is for others than the worker's own WorkerProcess. */
export type WorkerMessage = Exclude<FromWorker, { kind: 'ready' | 'took' | 'drained' | 'report' }>;

export interface Given {
  readonly socket: Socket;
  readonly addressIndex: number;
}

export class WorkerProcess implements Run {
  readonly ready: Promise<void>;
  readonly exited: Promise<string>;
  readonly #child: ChildProcess;
  /** Connections that it has not said to have taken. */
  readonly #offered = new Map<number, Given>();
  readonly #asked = new Map<number, (report: StatusReport) => void>();
  /** Whether it has answered all its requests; null: it has not come to say. */
  #drained: boolean | null = null;
  #next = 0;
  #over = false;

  constructor(child: ChildProcess, setup: Setup, onMessage: (message: WorkerMessage) => void) {
    this.#child = child;
    child.on('error', () => {});
    this.exited = new Promise((resolve) => {
      child.once('close', (status, signal) => {
        this.#over = true;
        resolve(signal === null ? `it exited with status ${status}` : `it was ended by ${signal}`);
      });
    });
    const ready = new Promise<void>((resolve) => {
      child.on('message', (message: unknown) => {
        if (!isFromWorker(message)) return;
        if (message.kind === 'ready') resolve();
        else if (message.kind === 'took') this.#took(message.id);
        else if (message.kind === 'drained') this.#drained = message.all;
        else if (message.kind === 'report') this.#asked.get(message.id)?.(message.report);
        else onMessage(message);
      });
    });
    this.ready = this.#readiness(ready);
    this.ready.catch(() => {});
    this.tell({ kind: 'setup', setup });
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  /** How many connections it has not taken yet: those of a busy one wait. */
  get waiting(): number {
    return this.#offered.size;
  }

  tell(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  /** It stays open here until the worker has it, so that it is not lost with a worker that ends. */
  give(given: Given): void {
    const id = this.#next;
    this.#next += 1;
    this.#offered.set(id, given);
    const message: ToWorker = { kind: 'connection', id, addressIndex: given.addressIndex };
    if (this.#child.connected) this.#child.send(message, given.socket, { keepOpen: true }, () => {});
  }

  /** Null: it does not answer. */
  async report(site: number): Promise<StatusReport | null> {
    const id = this.#next;
    this.#next += 1;
    let found: StatusReport | null = null;
    const answer = new Promise<void>((resolve) => {
      this.#asked.set(id, (report) => {
        found = report;
        resolve();
      });
    });
    this.tell({ kind: 'look', id, site });
    await settlesWithin(REPORT_LIMIT, Promise.race([answer, this.exited]));
    this.#asked.delete(id);
    return found;
  }

  /** Those that it never took; for another one. */
  takeBack(): Given[] {
    const left = [...this.#offered.values()];
    this.#offered.clear();
    return left;
  }

  /** Lets it answer its requests for `limit` milliseconds (0: for as long as they take); resolves with why some were not, or null. */
  async drain(limit: number): Promise<string | null> {
    this.tell({ kind: 'drain', limit });
    const most = limit === 0 ? Number.POSITIVE_INFINITY : limit + END_LIMIT;
    const byItself = await settlesWithin(most, this.exited);
    this.killGroup('SIGKILL');
    const why = await this.exited;
    if (this.#drained === true) return null;
    const crashed = this.#drained === null && byItself;
    return crashed ? `a worker ended while it finished its requests: ${why}` : cutAfter(limit);
  }

  /** The supervisor's way: at once. */
  async stop(): Promise<void> {
    this.killGroup('SIGKILL');
    await this.exited;
  }

  killGroup(signal: NodeJS.Signals): void {
    if (!this.#over) this.#child.kill(signal);
  }

  #took(id: number): void {
    // our descriptor of it, not the connection
    this.#offered.get(id)?.socket.destroy();
    this.#offered.delete(id);
  }

  async #readiness(ready: Promise<void>): Promise<void> {
    const ended = this.exited.then((why) => Promise.reject(new Error(why)));
    ended.catch(() => {});
    if (!(await settlesWithin(READY_LIMIT, Promise.race([ready, ended])))) {
      throw new Error(`it was not ready within ${READY_LIMIT} ms`);
    }
  }
}
