/**
 * Several processes that serve, and this one, which accepts connections and hands them out in turn: to a worker that has
 * taken all that it was given, where there is one. A worker that ends takes no more than its own requests with it.
 * This folder: the processes of `serve --workers`.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { hasRead } from '../delay.ts';
import { Supervisor } from '../fpm/supervisor.ts';
import type { Io } from '../io.ts';
import { type ListenAddress, urlOf } from '../serve/http/listen-address.ts';
import { listenOn } from '../serve/http/listen-on.ts';
import type { Certificate } from '../serve/http/tls.ts';
import type { Setup } from './messages.ts';
import { type WorkerMessage as FromWorker, type Given, WorkerProcess } from './worker-process.ts';

export interface WorkerOutput {
  readonly log: (lines: string) => void;
  readonly say: (line: string) => void;
  readonly php: (request: string, text: string, isLogged: boolean) => void;
}

export class Workers {
  /** Resolves when one cannot be kept running. */
  readonly gaveUp: Promise<Error>;
  readonly #io: Io;
  readonly #output: WorkerOutput;
  readonly #supervisors: readonly Supervisor[];
  readonly #servers: Server[] = [];
  /** Those that are ready. */
  readonly #ready = new Set<WorkerProcess>();
  readonly #all = new Set<WorkerProcess>();
  /** Connections for which no worker is ready. */
  #waiting: Given[] = [];
  #setup: Setup;
  #accepted = 0;
  #draining = false;

  constructor(setup: Setup, io: Io, output: WorkerOutput) {
    this.#setup = setup;
    this.#io = io;
    this.#output = output;
    this.#supervisors = Array.from({ length: setup.command.workers }, (_, nth) => {
      return new Supervisor({
        name: `worker ${nth + 1}`,
        launch: () => this.#launch(),
        running: () => {},
        say: (line) => output.say(line),
      });
    });
    this.gaveUp = Promise.race(this.#supervisors.map((one) => one.gaveUp));
  }

  /**
   * Resolves with the URLs, when all workers are ready and the addresses are listened on. Not before: whoever is refused meanwhile is
   * helped at once by the proxy's next server.
   */
  async start(addresses: readonly ListenAddress[], mode: number | null): Promise<string[]> {
    await Promise.all(this.#supervisors.map((one) => one.start()));
    const urls: string[] = [];
    for (const [nth, address] of addresses.entries()) urls.push(await this.#listen(address, nth, mode));
    return urls;
  }

  renew(certificate: Certificate): void {
    this.#setup = { ...this.#setup, certificate };
    for (const worker of this.#all) worker.tell({ kind: 'certificate', certificate });
  }

  /** Accepts no more; resolves with why not all requests were answered within `limit` milliseconds (0: no limit), or null. */
  async drain(limit: number): Promise<string | null> {
    await hasRead(() => this.#accepted);
    this.#draining = true;
    this.#close();
    const all = [...this.#all];
    for (const supervisor of this.#supervisors) supervisor.release();
    const ends = await Promise.all(all.map((worker) => worker.drain(limit)));
    return ends.find((why) => why !== null) ?? null;
  }

  /** Ends everything now. */
  destroy(): void {
    this.#draining = true;
    this.#close();
    for (const supervisor of this.#supervisors) supervisor.kill();
  }

  async #listen(listenAddress: ListenAddress, nth: number, mode: number | null): Promise<string> {
    // whoever gets the connection reads it
    const server = createServer({ pauseOnConnect: true }, (socket: Socket) => {
      socket.on('error', () => {});
      this.#accepted += 1;
      this.#give({ socket, addressIndex: nth });
    });
    await listenOn(server, listenAddress, mode);
    this.#servers.push(server);
    return urlOf(listenAddress, 'tls' in listenAddress && listenAddress.tls === true, server.address());
  }

  #launch(): WorkerProcess {
    const worker: WorkerProcess = new WorkerProcess(this.#io.fork(), this.#setup, (message) =>
      this.#onMessage(worker, message),
    );
    this.#all.add(worker);
    worker.ready.then(
      () => {
        this.#ready.add(worker);
        for (const given of this.#waiting.splice(0)) this.#give(given);
      },
      () => {},
    );
    void worker.exited.then(() => {
      this.#all.delete(worker);
      this.#ready.delete(worker);
      for (const given of worker.takeBack()) this.#give(given);
    });
    return worker;
  }

  #give(given: Given): void {
    if (this.#draining) {
      given.socket.destroy();
      return;
    }
    let chosen: WorkerProcess | null = null;
    for (const worker of this.#ready) {
      if (chosen === null || worker.waiting < chosen.waiting) chosen = worker;
    }
    if (chosen === null) {
      this.#waiting.push(given);
      return;
    }
    // to the end of the line
    this.#ready.delete(chosen);
    this.#ready.add(chosen);
    chosen.give(given);
  }

  #onMessage(worker: WorkerProcess, message: FromWorker): void {
    if (message.kind === 'log') this.#output.log(message.lines);
    else if (message.kind === 'ask') void this.#reports(worker, message.id, message.site);
    else if (message.kind === 'say') this.#output.say(message.line);
    else this.#output.php(message.request, message.text, message.isLogged);
  }

  /** Of all workers but the one that asks. */
  async #reports(worker: WorkerProcess, id: number, site: number): Promise<void> {
    const others = [...this.#ready].filter((one) => one !== worker);
    const reports = await Promise.all(others.map((one) => one.report(site)));
    worker.tell({ kind: 'reports', id, reports: reports.filter((one) => one !== null) });
  }

  #close(): void {
    for (const server of this.#servers) server.close();
    for (const { socket } of this.#waiting.splice(0)) socket.destroy();
  }
}
