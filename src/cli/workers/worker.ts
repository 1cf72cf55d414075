/** A worker process: it serves the connections that the first process hands to it, and writes nothing itself. */
import { Socket } from 'node:net';
import { Writable } from 'node:stream';
import type { StatusReport } from '../../observe/status/report.ts';
import { connect } from '../connect.ts';
import { settlesWithin } from '../delay.ts';
import { App } from '../serve/app.ts';
import { Listener } from '../serve/http/listener.ts';
import { PHP_LIMIT } from '../serve/limits.ts';
import { AccessLog } from '../serve/log/access-log.ts';
import { refusalTeller } from '../serve/log/refused.ts';
import { merged } from './merged.ts';
import type { FromWorker, Setup, ToWorker } from './messages.ts';

/** What is needed of `process`. */
interface Parent {
  send?(message: FromWorker, handle: undefined, options: undefined, done: () => void): boolean;
  on(event: 'message', listener: (message: unknown, handle: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
}

/** Resolves with the exit status, when it is told to end, or the first process is gone. */
export function runWorker(parent: Parent): Promise<number> {
  const send = (message: FromWorker): void => {
    // where the first process is gone, 'disconnect' says so: with nobody to be told of it here, this would be a crash
    parent.send?.(message, undefined, undefined, () => {});
  };
  return new Promise((resolve, reject) => {
    let worker: Promise<Worker> | null = null;
    parent.on('message', (message, handle) => {
      if (!isOrder(message)) return;
      if (message.kind === 'setup') worker = Worker.start(message.setup, send);
      const order = worker?.then((one) => one.execute(message, handle));
      order?.then((status) => {
        if (typeof status === 'number') resolve(status);
      }, reject);
    });
    parent.on('disconnect', () => resolve(1));
  });
}

/** The other workers, by way of the first process. */
class Siblings {
  readonly #send: (message: FromWorker) => void;
  readonly #asked = new Map<number, (reports: readonly StatusReport[]) => void>();
  #next = 0;

  constructor(send: (message: FromWorker) => void) {
    this.#send = send;
  }

  async merge(site: number, own: StatusReport): Promise<StatusReport> {
    const id = this.#next;
    this.#next += 1;
    this.#send({ kind: 'ask', id, site });
    return merged(own, await new Promise((resolve) => this.#asked.set(id, resolve)));
  }

  answered(id: number, reports: readonly StatusReport[]): void {
    this.#asked.get(id)?.(reports);
    this.#asked.delete(id);
  }
}

class Worker {
  readonly #send: (message: FromWorker) => void;
  readonly #app: App;
  readonly #log: AccessLog | null;
  readonly #listener: Listener;
  readonly #takers: readonly ((socket: Socket) => void)[];
  readonly #siblings: Siblings;

  static async start(setup: Setup, send: (message: FromWorker) => void): Promise<Worker> {
    const log = setup.command.quiet ? null : new AccessLog(linesTo(send), setup.command);
    const logger = {
      say: (line: string): void => send({ kind: 'say', line }),
      php: (request: string, text: string, isLogged: boolean): void => {
        send({ kind: 'php', request, text, isLogged });
      },
    };
    const siblings = new Siblings(send);
    const { sites, php, command } = setup;
    const app = await App.create(sites, php, command.workers, connect, logger, log, null, siblings);
    const listener = new Listener(
      app.handler,
      setup.certificate,
      refusalTeller(log, logger),
      setup.command.keepaliveTimeout,
    );
    const takers = await listener.accepting(setup.addresses);
    return new Worker(send, app, log, listener, takers, siblings);
  }

  private constructor(
    send: (message: FromWorker) => void,
    app: App,
    log: AccessLog | null,
    listener: Listener,
    takers: readonly ((socket: Socket) => void)[],
    siblings: Siblings,
  ) {
    this.#send = send;
    this.#app = app;
    this.#log = log;
    this.#listener = listener;
    this.#takers = takers;
    this.#siblings = siblings;
    send({ kind: 'ready' });
  }

  /** Resolves with the exit status where that was the last order. */
  async execute(order: ToWorker, handle: unknown): Promise<number | null> {
    if (order.kind === 'connection') {
      this.#send({ kind: 'took', id: order.id });
      // none: its client has left on the way
      if (handle instanceof Socket) this.#takers[order.addressIndex]?.(handle);
    } else if (order.kind === 'certificate') this.#listener.renew(order.certificate);
    else if (order.kind === 'reports') this.#siblings.answered(order.id, order.reports);
    else if (order.kind === 'look') {
      const report = this.#app.report(order.site);
      if (report !== null) this.#send({ kind: 'report', id: order.id, report });
    } else if (order.kind === 'drain') return this.#end(order.limit);
    return null;
  }

  async #end(limit: number): Promise<number> {
    this.#app.drain();
    const all = await this.#listener.drain(limit);
    this.#log?.flush();
    this.#send({ kind: 'drained', all });
    await settlesWithin(PHP_LIMIT, this.#app.close());
    await this.#app.destroy();
    return all ? 0 : 1;
  }
}

function isOrder(message: unknown): message is ToWorker {
  return typeof message === 'object' && message !== null && 'kind' in message;
}

function linesTo(send: (message: FromWorker) => void): Writable {
  return new Writable({
    write(lines: Buffer, _encoding, done): void {
      send({ kind: 'log', lines: lines.toString() });
      done();
    },
  });
}
