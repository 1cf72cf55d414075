/**
 * A model of PHP-FPM in virtual time: workers that take connections from a backlog in order, serve one until it closes,
 * are recycled after so many requests, are reloaded and killed. The script of a request is in its params: MS is how
 * long it runs, TAIL how long it goes on behind its response (fastcgi_finish_request), ID is counted.
 */
import { decodeParams } from '../../src/protocol/decode-params.ts';
import { decodeHeader } from '../../src/protocol/record.ts';
import type { ServerEnd } from './socket.ts';
import type { VirtualTime } from './time.ts';

export interface FpmOptions {
  /** pm.max_children. */
  readonly workers: number;
  /** 'dynamic': one worker more every second while none is free; 'ondemand': one more for a connection that waits. Default: 'static'. */
  readonly pm?: 'static' | 'dynamic' | 'ondemand';
  /** ms to fork a worker. */
  readonly forkTime?: number;
  /** ms in which the master starts anew, once the last worker has left after a reload. */
  readonly reloadTime?: number;
  /** process_control_timeout > 0: a reload waits for busy workers. Default: true. */
  readonly waits?: boolean;
  readonly maxRequests?: number;
  readonly backlog?: number;
  /** Each script takes so many times as long here. Default: 1. */
  readonly slowness?: number;
  /** The database is away: no script gets on from then on for so many ms. */
  readonly standstill?: { readonly from: number; readonly ms: number };
  /** ms that accept, reading a request and writing its response take. */
  readonly overhead?: number;
  /** Each response is longer than PHP's buffer, and written in two pieces. Default: false. */
  readonly isLong?: boolean;
}

const HEAD = 'Content-type: text/plain\r\n\r\nok';

/** Its pieces, as they are written. */
function response(id: number, isLong: boolean): Buffer[] {
  const pieces = [record(6, id, Buffer.from(HEAD)), record(3, id, Buffer.alloc(8))];
  return isLong ? pieces : [Buffer.concat(pieces)];
}

/** What php-fpm says to FCGI_GET_VALUES. */
const VALUES = record(10, 0, Buffer.from('\x0f\x01FCGI_MPXS_CONNS0'));

function record(type: number, id: number, content: Buffer): Buffer {
  const { length } = content;
  return Buffer.concat([
    Buffer.from([1, type, id >> 8, id & 0xff, length >> 8, length & 0xff, 0, 0]),
    content,
  ]);
}

export class SimFpm {
  /** How often each ID ran. */
  readonly ran: Map<string, number> = new Map();
  /** Those that it has answered in full, on a connection that was open then. */
  readonly answered: Set<string> = new Set();
  /** SIGSTOP: from now on its kernel goes on, and nobody accepts, reads or answers. */
  isStopped = false;
  readonly time: VirtualTime;
  readonly options: Required<FpmOptions>;
  readonly #backlog: ServerEnd[] = [];
  readonly #workers: Set<Worker> = new Set();
  #workedFor = 0;
  #forking = 0;
  #reloading = false;
  #isDown = false;

  constructor(time: VirtualTime, options: FpmOptions) {
    this.time = time;
    this.options = {
      pm: 'static',
      forkTime: 2,
      reloadTime: 60,
      waits: true,
      maxRequests: Number.POSITIVE_INFINITY,
      backlog: 511,
      overhead: 0.05,
      slowness: 1,
      standstill: { from: Number.POSITIVE_INFINITY, ms: 0 },
      isLong: false,
      ...options,
    };
    for (let i = 0; i < this.#first; i++) this.#workers.add(new Worker(this));
    if (this.options.pm === 'dynamic') this.#maintain();
  }

  /** Workers that are started with the master. */
  get #first(): number {
    const { pm, workers } = this.options;
    return pm === 'static' ? workers : pm === 'dynamic' ? 1 : 0;
  }

  get #room(): number {
    return this.options.workers - this.#workers.size - this.#forking;
  }

  /** ms in which scripts ran, all workers together. */
  get workedFor(): number {
    let sum = this.#workedFor;
    for (const { begun } of this.#workers) if (begun !== null) sum += this.time.now - begun;
    return sum;
  }

  worked(ms: number): void {
    this.#workedFor += ms;
  }

  get workers(): number {
    return this.#workers.size;
  }

  /** Connections that a worker holds without a request to run. */
  get held(): number {
    return [...this.#workers].filter(({ connection, begun }) => connection !== null && begun === null).length;
  }

  /** '': it waits in the backlog now; else the code of the error. */
  connect(end: ServerEnd): '' | 'EAGAIN' | 'ECONNREFUSED' {
    if (this.#isDown) return 'ECONNREFUSED';
    if (this.#backlog.length >= this.options.backlog) return 'EAGAIN';
    this.#backlog.push(end);
    this.offer();
    return '';
  }

  /** The host has crashed: what runs is lost, and nobody listens. */
  crash(): void {
    this.#isDown = true;
    for (const end of this.#backlog.splice(0)) end.drop();
    for (const worker of [...this.#workers]) worker.kill();
  }

  start(): void {
    this.#isDown = false;
    for (let i = 0; i < this.#first; i++) this.#workers.add(new Worker(this));
  }

  next(): ServerEnd | undefined {
    return this.#backlog.shift();
  }

  /** Gives what waits to workers that have nothing to do, or forks one. */
  offer(): void {
    if (this.isStopped) return;
    for (const worker of this.#workers) {
      if (this.#backlog.length === 0) return;
      if (worker.isFree) worker.take();
    }
    if (this.options.pm !== 'ondemand' || this.#reloading) return;
    const most = Math.min(this.#room, this.#backlog.length - this.#forking);
    for (let i = 0; i < most; i++) this.#fork();
  }

  /** With pm.min_spare_servers = 1 the master looks every second for a worker that is free. */
  #maintain(): void {
    this.time.at(this.time.now + 1_000, () => {
      if (!this.#reloading && this.#room > 0 && ![...this.#workers].some(({ isFree }) => isFree))
        this.#fork();
      this.#maintain();
    });
  }

  #fork(): void {
    this.#forking++;
    this.time.at(this.time.now + this.options.forkTime, () => {
      this.#forking--;
      const worker = new Worker(this);
      this.#workers.add(worker);
      if (this.#reloading) worker.leave();
      else this.offer();
    });
  }

  /** A worker has exited. */
  gone(worker: Worker): void {
    if (!this.#workers.delete(worker) || this.#isDown) return;
    if (!this.#reloading) {
      if (this.options.pm === 'ondemand') this.offer();
      else this.#fork();
    } else if (this.#workers.size + this.#forking === 0) {
      this.time.at(this.time.now + this.options.reloadTime, () => {
        this.#reloading = false;
        for (let i = 0; i < this.#first; i++) this.#workers.add(new Worker(this));
        this.offer();
      });
    }
  }

  /** SIGKILL to one of the workers. */
  kill(nth: number): void {
    const workers = [...this.#workers];
    workers[nth % workers.length]?.kill();
  }

  /** SIGUSR2: busy workers finish what they run and read no more, or are killed; then the master starts anew. */
  reload(): void {
    if (this.#reloading || this.#workers.size === 0) return;
    this.#reloading = true;
    for (const worker of [...this.#workers]) {
      if (this.options.waits) worker.leave();
      else worker.kill();
    }
  }
}

class Worker {
  connection: ServerEnd | null = null;
  /** When its script began; null: none runs. */
  begun: number | null = null;
  readonly #fpm: SimFpm;
  #served = 0;
  #discarding = false;
  #leaves = false;
  #cancel: (() => void) | null = null;

  constructor(fpm: SimFpm) {
    this.#fpm = fpm;
  }

  get isFree(): boolean {
    return this.connection === null && this.begun === null;
  }

  take(): void {
    const next = this.#fpm.next();
    if (next === undefined) return;
    this.connection = next;
    next.onChange = () => this.#read();
    this.#read();
  }

  kill(): void {
    this.#cancel?.();
    this.#exit();
  }

  leave(): void {
    this.#leaves = true;
    if (this.begun === null) this.#exit();
  }

  #stop(): void {
    if (this.begun !== null) this.#fpm.worked(this.#fpm.time.now - this.begun);
    this.begun = null;
    this.#cancel = null;
  }

  #exit(): void {
    this.#stop();
    const { connection } = this;
    this.connection = null;
    if (connection !== null) {
      connection.onChange = () => {};
      connection.drop();
    }
    this.#fpm.gone(this);
  }

  #read(): void {
    const { connection } = this;
    if (connection === null || this.begun !== null || this.#fpm.isStopped) return;
    if (this.#discarding) {
      connection.received.length = 0;
      if (connection.ended) this.#exit();
      return;
    }
    const request = requestIn(connection.received);
    if (request === 'values') {
      connection.send(VALUES);
      this.#read();
    } else if (request === 'malformed') {
      connection.onChange = () => {};
      connection.drop();
      this.connection = null;
      this.take();
    } else if (request !== null) this.#run(connection, request);
    else if (connection.ended) {
      this.connection = null;
      this.take();
    }
  }

  #run(connection: ServerEnd, { params, keepConn, id }: SimRequest): void {
    const { time, options, ran, answered } = this.#fpm;
    this.begun = time.now;
    const name = params.get('ID')?.toString() ?? '';
    ran.set(name, (ran.get(name) ?? 0) + 1);
    const runs = Number(params.get('MS')?.toString() ?? 0);
    const tail = Number(params.get('TAIL')?.toString() ?? 0);
    const end = time.now + runs * options.slowness + options.overhead;
    const { from, ms } = options.standstill;
    const stood = end > from ? Math.max(0, from + ms - Math.max(from, time.now)) : 0;
    this.#cancel = time.at(end + stood, () => {
      for (const piece of response(id, options.isLong)) connection.send(piece);
      if (!connection.ended) answered.add(name);
      if (tail === 0) {
        this.#end(connection, keepConn);
        return;
      }
      // fastcgi_finish_request() closes at once what is not to be kept.
      if (!keepConn) connection.finish();
      this.#cancel = time.at(time.now + tail, () => this.#end(connection, keepConn));
    });
  }

  #end(connection: ServerEnd, keepConn: boolean): void {
    this.#stop();
    this.#served++;
    if (this.#leaves) {
      this.#exit();
    } else if (this.#served >= this.#fpm.options.maxRequests) {
      this.#discarding = true;
      connection.finish();
      this.#read();
    } else if (!keepConn) {
      connection.onChange = () => {};
      connection.finish();
      this.connection = null;
      this.take();
    } else {
      this.#read();
    }
  }
}

interface SimRequest {
  readonly params: Map<string, Buffer>;
  readonly keepConn: boolean;
  readonly id: number;
}

/** Takes one whole request out of what was received; null: there is none yet. PHP looks for no end of STDIN. */
function requestIn(received: Buffer[]): SimRequest | 'values' | 'malformed' | null {
  const bytes = Buffer.concat(received);
  const params = new Map<string, Buffer>();
  let keepConn = false;
  let id = 0;
  let stdin = -1;
  for (let at = 0; at + 8 <= bytes.length; ) {
    const { type, requestId, contentLength, paddingLength } = decodeHeader(bytes, at);
    const content = at + 8;
    at = content + contentLength + paddingLength;
    if (at > bytes.length) return null;
    const rest = (): Buffer[] => (at < bytes.length ? [bytes.subarray(at)] : []);
    if (type === 9) {
      received.splice(0, received.length, ...rest());
      return 'values';
    }
    // A worker reads the header and closes: what it leaves unread is a reset to the client.
    if (type === 1 && contentLength !== 8) {
      received.splice(0, received.length, ...rest());
      return 'malformed';
    }
    if (type === 1) {
      keepConn = ((bytes[content + 2] ?? 0) & 1) === 1;
      id = requestId;
    } else if (type === 4 && contentLength > 0) {
      for (const [name, value] of decodeParams(bytes.subarray(content, content + contentLength)))
        params.set(name, value);
    } else if (type === 4) {
      stdin = Number(params.get('CONTENT_LENGTH')?.toString() ?? 0);
    } else if (type === 5) {
      stdin -= contentLength;
    }
    if (id > 0 && stdin === 0) {
      received.splice(0, received.length, ...rest());
      return { params, keepConn, id };
    }
  }
  return null;
}
