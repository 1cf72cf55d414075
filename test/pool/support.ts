/** What the pool's tests share: a server of raw bytes, a gate, a handler that notes what it is told. */
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type {
  DispatchController,
  Dispatcher,
  DispatchHandler,
  DispatchRequest,
  Ended,
  FcgiResponse,
} from '../../src/pool/dispatcher.ts';
import { tempDir } from '../fpm/support/temp.ts';
import { END, record, STDOUT } from '../testing/support/wire.ts';

export const GET = { SCRIPT_FILENAME: '/srv/index.php', REQUEST_METHOD: 'GET' } as const;
export const POST = { SCRIPT_FILENAME: '/srv/index.php', REQUEST_METHOD: 'POST' } as const;
export const PUT = { SCRIPT_FILENAME: '/srv/index.php', REQUEST_METHOD: 'PUT' } as const;

export const HEAD = 'Content-type: text/plain\r\n\r\n';
export const COMPLETE: Buffer = Buffer.alloc(8);

/** A whole response, as PHP-FPM would send it. */
export function answer(body = 'ok', id = 1): Buffer {
  return Buffer.concat([record(STDOUT, HEAD + body, 0, id), record(END, COMPLETE, 0, id)]);
}

export interface Gate {
  open(): void;
  readonly opened: Promise<void>;
}

/** A promise that the test settles: it holds a script as a slow one would, without a clock. */
export function gate(): Gate {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open: () => open(), opened };
}

export interface RawServer extends AsyncDisposable {
  readonly address: string;
  /** All sockets accepted so far. */
  readonly sockets: readonly Socket[];
}

/** `serve` gets each socket (half-open) and its number from 1, and does with it what it likes. */
export async function rawServer(
  serve: (socket: Socket, nth: number) => void,
  transport: 'unix' | 'tcp' = 'unix',
): Promise<RawServer> {
  const folder = tempDir('raw-');
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    serve(socket, sockets.length);
  });
  const path = join(folder.path, 's');
  await new Promise<void>((resolve) => {
    if (transport === 'unix') server.listen(path, resolve);
    else server.listen(0, '127.0.0.1', resolve);
  });
  const bound = server.address();
  return {
    address: typeof bound === 'object' && bound !== null ? `127.0.0.1:${bound.port}` : `unix:${path}`,
    sockets,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      folder.remove();
    },
  };
}

/** A server that says these bytes on the first byte of each request, and whatever follows is up to the client. */
export function sayingServer(bytes: Buffer, transport: 'unix' | 'tcp' = 'unix'): Promise<RawServer> {
  return rawServer((socket) => {
    socket.on('data', () => socket.write(bytes));
  }, transport);
}

/** Sends a request and reads its body as text; for when only the end matters. */
export async function text(pool: Dispatcher, request: DispatchRequest): Promise<string> {
  return (await pool.request(request)).body.text();
}

/** A whole exchange: the body is read, and how it ended is given. */
export async function ended(pool: Dispatcher, request: DispatchRequest): Promise<Ended> {
  const response: FcgiResponse = await pool.request(request);
  await response.body.bytes();
  return response.ended;
}

/** Notes what a handler is told; `over` settles at its end, with the error or null. */
export class Recorder implements DispatchHandler {
  readonly events: string[] = [];
  readonly chunks: Buffer[] = [];
  controller: DispatchController | null = null;
  ended: Ended | null = null;
  error: unknown = null;
  readonly over: Promise<unknown>;
  #finish: (error: unknown) => void = () => {};

  constructor() {
    this.over = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  onRequestStart(controller: DispatchController): void {
    this.controller = controller;
    this.events.push('request');
  }

  onResponseStart(_controller: DispatchController, statusCode: number): void {
    this.events.push(`start ${statusCode}`);
  }

  onResponseData(_controller: DispatchController, chunk: Buffer): void {
    this.chunks.push(Buffer.from(chunk));
    this.events.push('data');
  }

  onResponseEnd(_controller: DispatchController, how: Ended): void {
    this.ended = how;
    this.events.push('end');
    this.#finish(null);
  }

  onResponseError(_controller: DispatchController, error: unknown): void {
    this.error = error;
    this.events.push('error');
    this.#finish(error);
  }
}
