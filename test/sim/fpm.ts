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
  readonly workers: number;
  /** Workers that are there from the start; the others are forked when a connection waits. Default: all. */
  readonly started?: number;
  /** ms to fork a worker. */
  readonly forkTime?: number;
  readonly maxRequests?: number;
  readonly backlog?: number;
  /** ms that accept, reading a request and writing its response take. */
  readonly overhead?: number;
}

const HEAD = 'Content-type: text/plain\r\n\r\nok';

function response(id: number): Buffer {
  return Buffer.concat([record(6, id, Buffer.from(HEAD)), record(3, id, Buffer.alloc(8))]);
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
  /** ms in which scripts ran, all workers together. */
  workedFor = 0;
  readonly time: VirtualTime;
  readonly options: Required<FpmOptions>;
  readonly #backlog: ServerEnd[] = [];
  readonly #workers: Set<Worker> = new Set();
  #forking = 0;

  constructor(time: VirtualTime, options: FpmOptions) {
    this.time = time;
    this.options = {
      started: options.workers,
      forkTime: 2,
      maxRequests: Number.POSITIVE_INFINITY,
      backlog: 511,
      overhead: 0.05,
      ...options,
    };
    for (let i = 0; i < this.options.started; i++) this.#workers.add(new Worker(this));
  }

  /** Connections that no worker has taken. */
  get waiting(): number {
    return this.#backlog.length;
  }

  /** Connections that a worker holds. */
  get held(): number {
    return [...this.#workers].filter(({ connection }) => connection !== null).length;
  }

  /** False: the backlog is full. */
  connect(end: ServerEnd): boolean {
    if (this.#backlog.length >= this.options.backlog) return false;
    this.#backlog.push(end);
    this.offer();
    return true;
  }

  next(): ServerEnd | undefined {
    return this.#backlog.shift();
  }

  /** Gives what waits to workers that have nothing to do, or forks one. */
  offer(): void {
    for (const worker of this.#workers) {
      if (this.#backlog.length === 0) return;
      if (worker.isFree) worker.take();
    }
    const room = this.options.workers - this.#workers.size - this.#forking;
    for (let i = 0; i < Math.min(room, this.#backlog.length); i++) this.fork();
  }

  fork(): void {
    this.#forking++;
    this.time.at(this.time.now + this.options.forkTime, () => {
      this.#forking--;
      this.#workers.add(new Worker(this));
      this.offer();
    });
  }

  /** A worker has exited. */
  gone(worker: Worker): void {
    if (this.#workers.delete(worker)) this.fork();
  }

  /** SIGKILL to one of the workers. */
  kill(nth: number): void {
    const workers = [...this.#workers];
    workers[nth % workers.length]?.kill();
  }

  /** SIGUSR2 with a process_control_timeout: busy workers finish what they run and read no more. */
  reload(): void {
    for (const worker of [...this.#workers]) worker.leave();
  }
}

class Worker {
  connection: ServerEnd | null = null;
  readonly #fpm: SimFpm;
  #served = 0;
  #running = false;
  #discarding = false;
  #leaves = false;
  #cancel: (() => void) | null = null;

  constructor(fpm: SimFpm) {
    this.#fpm = fpm;
  }

  get isFree(): boolean {
    return this.connection === null && !this.#running;
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
    if (!this.#running) this.#exit();
  }

  #exit(): void {
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
    if (connection === null || this.#running) return;
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
    const { time, options, ran } = this.#fpm;
    this.#running = true;
    const name = params.get('ID')?.toString() ?? '';
    ran.set(name, (ran.get(name) ?? 0) + 1);
    const runs = Number(params.get('MS')?.toString() ?? 0);
    this.#fpm.workedFor += runs;
    this.#cancel = time.at(time.now + runs + options.overhead, () => {
      connection.send(response(id));
      const tail = Number(params.get('TAIL')?.toString() ?? 0);
      if (tail === 0) this.#end(connection, keepConn);
      else this.#cancel = time.at(time.now + tail, () => this.#end(connection, keepConn));
    });
  }

  #end(connection: ServerEnd, keepConn: boolean): void {
    this.#running = false;
    this.#cancel = null;
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
    if (type === 1 && contentLength !== 8) return 'malformed';
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
