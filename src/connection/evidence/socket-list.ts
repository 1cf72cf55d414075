/**
 * The kernel's list of TCP sockets (Linux). It comes page by page, and with thousands of sockets each page would cost a turn of the
 * event loop: a third of a second where that is busy, while a request waits for its proof. So the pages are asked for several at
 * once, and who wants the list while it is being read shares the next one with all others who do.
 */
import { open } from 'node:fs/promises';
import { readKernelFile } from './kernel-file.ts';

/** Bytes: the largest page of any kernel. A read gives one page at the most, of whole lines. */
const PAGE = 64 * 1024;
/** Reads at once: one behind the end takes as long as all of a short list does. */
const FEW = 4;
const MANY = 16;
/** Of as many pages as there were the last time, so many will be there again. */
const SURE = 0.8;

/** What is needed of a FileHandle. */
export interface OpenList {
  read(buffer: Buffer): Promise<{ readonly bytesRead: number }>;
  close(): Promise<void>;
}

export class SocketList {
  readonly #path: string;
  readonly #open: (path: string) => Promise<OpenList>;
  /** For one page each. */
  readonly #buffers: Buffer[] = [];
  #pages = 0;
  #running: Promise<string> | null = null;
  #next: Promise<string> | null = null;

  /** `openList`: the file system's, if it is not told. */
  constructor(path: string, openList: (path: string) => Promise<OpenList> = (file) => open(file)) {
    this.#path = path;
    this.#open = openList;
  }

  /** As it is from now on; its pages may be in any order. '' where the kernel does not tell. Never rejects. */
  read(): Promise<string> {
    // what is being read may have passed the caller's socket before he asked
    if (this.#running !== null) this.#next ??= this.#running.then(() => this.#begin());
    return this.#next ?? this.#begin();
  }

  #begin(): Promise<string> {
    this.#next = null;
    const running = readKernelFile(this.#path, (path) => this.#readPages(path)).then((list) => {
      this.#running = null;
      return list;
    });
    this.#running = running;
    return running;
  }

  async #readPages(path: string): Promise<string> {
    const list = await this.#open(path);
    try {
      const pages: string[] = [];
      const sure = Math.floor(SURE * this.#pages);
      for (let isOver = false; !isOver; ) {
        const count = Math.min(Math.max(sure - pages.length, pages.length === 0 ? 1 : FEW), MANY);
        const more = await Promise.all(Array.from({ length: count }, (_, nth) => this.#page(list, nth)));
        pages.push(...more.filter((page) => page !== ''));
        isOver = more.includes('');
      }
      this.#pages = pages.length;
      return pages.join('');
    } finally {
      await list.close();
    }
  }

  async #page(list: OpenList, nth: number): Promise<string> {
    const buffer = this.#buffers[nth] ?? Buffer.allocUnsafeSlow(PAGE);
    this.#buffers[nth] = buffer;
    const { bytesRead } = await list.read(buffer);
    return buffer.toString('latin1', 0, bytesRead);
  }
}
