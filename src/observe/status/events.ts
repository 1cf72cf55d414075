/** Server-sent events: the parts of the page, each second, to all who have it open. */
import type { ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import type { StatusReport } from './report.ts';
import { sectionsOf } from './sections.ts';

type Response = ServerResponse | Http2ServerResponse;

/** ms. */
const INTERVAL = 1000;
/** A page comes back by itself: so a server that is being closed has to wait for none longer than that. */
const MOST_EVENTS = 20;
/** Pages that are open. A page of somebody else's could open more in the browser of who sits here. */
const MOST_READERS = 16;

interface Reader {
  /** Events it may get still. */
  left: number;
  /** It has not taken the one before. */
  full: boolean;
}

export class Events {
  readonly #look: () => Promise<StatusReport>;
  readonly #readers: Map<Response, Reader> = new Map();
  #timer: NodeJS.Timeout | null = null;

  constructor(look: () => Promise<StatusReport>) {
    this.#look = look;
  }

  /** False: there are too many. */
  add(response: Response): boolean {
    if (this.#readers.size >= MOST_READERS) return false;
    const reader: Reader = { left: MOST_EVENTS, full: false };
    this.#readers.set(response, reader);
    response.on('drain', () => {
      reader.full = false;
    });
    response.once('close', () => this.#remove(response));
    const headers = {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    };
    (response as ServerResponse).writeHead(200, headers);
    write(response, reader, 'retry: 1000\n\n');
    void this.#tell([[response, reader]]);
    this.#timer ??= setInterval(() => void this.#tell([...this.#readers]), INTERVAL).unref();
    return true;
  }

  close(): void {
    for (const response of this.#readers.keys()) response.end();
    this.#stop();
  }

  async #tell(readers: readonly (readonly [Response, Reader])[]): Promise<void> {
    const event = eventOf(await this.#look());
    for (const [response, reader] of readers) {
      if (reader.full || !this.#readers.has(response) || response.writableEnded) continue;
      write(response, reader, event);
      if (--reader.left <= 0) response.end();
    }
  }

  #remove(response: Response): void {
    this.#readers.delete(response);
    if (this.#readers.size === 0) this.#stop();
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}

/** JSON has no line feeds of its own, which would end the event's line. */
function eventOf(report: StatusReport): string {
  return `data: ${JSON.stringify({ time: report.time, sections: sectionsOf(report) })}\n\n`;
}

function write(response: Response, reader: Reader, text: string): void {
  reader.full = !(response as ServerResponse).write(text);
}
