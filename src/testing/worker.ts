/** One worker of the fake PHP-FPM: it belongs to one connection from accept to close, and serves it alone. */
import { clearTimeout, setTimeout } from 'node:timers';
import { FakeBody } from './body.ts';
import type { ExactSocket } from './exact-socket.ts';
import type { FakeFpmSettings } from './options.ts';
import { type Received, receiveRequest } from './receive.ts';
import { ScriptResponse } from './response.ts';
import type { FakeRequest } from './script.ts';

/** What workers tell the server that keeps them. */
export interface WorkerLog {
  /** The script runs from now on. */
  onExecuted(request: FakeRequest): void;
  /** The script, or a hook, has thrown. */
  onScriptError(error: unknown): void;
}

export class Worker {
  readonly #settings: FakeFpmSettings;
  readonly #log: WorkerLog;
  /** Counted over all connections, as `pm.max_requests` is. */
  #served = 0;
  #socket: ExactSocket | null = null;
  /** No request has come since the last one. */
  #idle = true;
  #retiring = false;
  #killed = false;

  constructor(settings: FakeFpmSettings, log: WorkerLog) {
    this.#settings = settings;
    this.#log = log;
  }

  get free(): boolean {
    return this.#socket === null;
  }

  /** From accept to close; never rejects. `connection` is the connection's number. */
  async serve(socket: ExactSocket, connection: number): Promise<void> {
    this.#socket = socket;
    const { firstByteTimeout } = this.#settings;
    const silence = setTimeout(() => socket.bytesRead === 0 && socket.destroy(), firstByteTimeout).unref();
    if (firstByteTimeout === 0) clearTimeout(silence);
    for (let nth = 1; await this.#serveOne(socket, connection, nth); nth++);
    clearTimeout(silence);
    socket.destroy();
    await socket.closed;
    // A worker that reached its limit, was killed or told to go has been replaced by a new one.
    if (this.#retiring || this.#isSpent()) this.#served = 0;
    this.#retiring = false;
    this.#socket = null;
  }

  /** Told to go, and not gone yet. */
  get retiring(): boolean {
    return this.#retiring;
  }

  /** Closes after the request that it runs, or the next one where it is idle, without a look at what was sent behind it. */
  retire(): void {
    this.#served = 0;
    this.#retiring = !this.free;
  }

  closeIdle(): void {
    if (this.#idle) this.#socket?.destroy();
  }

  /** Closes at once, whatever is going on, and starts no script any more. One that runs cannot be stopped: nobody hears of it. */
  kill(): void {
    this.#killed = true;
    this.#socket?.destroy();
  }

  #isSpent(): boolean {
    return this.#settings.maxRequests > 0 && this.#served >= this.#settings.maxRequests;
  }

  /** Says whether the connection is good for another request. */
  async #serveOne(socket: ExactSocket, connection: number, nth: number): Promise<boolean> {
    this.#idle = true;
    const received = await receiveRequest(socket, !this.#settings.readsToEndOfInput);
    this.#idle = false;
    if (!received) return false;
    const body = new FakeBody(
      socket,
      this.#settings.readsToEndOfInput ? 'terminator' : contentLength(received),
    );
    const request = describe(received, body, connection, nth);
    const response = new ScriptResponse(socket, received.requestId, this.#settings);
    try {
      await this.#run(request, response);
    } catch (error) {
      this.#log.onScriptError(error);
      return false;
    }
    if (response.faulty) {
      this.#retiring = true;
      return false;
    }
    if (this.#killed) return false;
    // PHP reads what the script left of the body before it ends the request.
    await body.bytes();
    await response.end();
    // One whose client has left counts as well.
    this.#served += 1;
    if (this.#retiring) await socket.die();
    if (socket.destroyed) return false;
    if (received.keepConn && !body.broken && !this.#isSpent()) return true;
    await socket.finish();
    await socket.discard();
    return false;
  }

  async #run(request: FakeRequest, response: ScriptResponse): Promise<void> {
    await this.#settings.onRequest(request);
    const { readsToEndOfInput, script } = this.#settings;
    // PHP reads the body of a POST before the script starts, all others when the script likes.
    if (readsToEndOfInput || request.params['REQUEST_METHOD'] === 'POST') await request.body.bytes();
    if (this.#killed) return;
    this.#log.onExecuted(request);
    await script(request, response);
  }
}

function contentLength(received: Received): number {
  const digits = /^\s*\+?(\d+)/.exec(received.params.get('CONTENT_LENGTH')?.toString('latin1') ?? '');
  return Number(digits?.[1] ?? 0);
}

function describe(received: Received, body: FakeBody, connection: number, nth: number): FakeRequest {
  const params: Record<string, string> = Object.create(null);
  for (const [name, value] of received.params) params[name] = value.toString('utf8');
  const { keepConn, params: rawParams } = received;
  return { params, rawParams, body, text: () => body.text(), keepConn, connection, nth };
}
