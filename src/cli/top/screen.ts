/** A terminal that is drawn over again and again. */
import { clearLine, clearScreenDown, cursorTo } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Io } from '../io.ts';
import { cut } from '../text.ts';

const HIDE = '\u001b[?25l';
const SHOW = '\u001b[?25h';
const ESCAPE = 0x1b;

interface Terminal extends Writable {
  readonly isTTY: true;
  readonly columns: number;
  readonly rows: number;
}

/** One that can be drawn over: that of an editor may show the codes as they are, and says so by TERM. */
export function isTerminal(stream: Writable, { env }: Io): stream is Terminal {
  if (env['TERM'] === 'dumb') return false;
  return 'isTTY' in stream && stream.isTTY === true && 'columns' in stream && 'rows' in stream;
}

/** Only what fits: a longer line would wrap, and push all that is below it down. Pure. */
export function fitted(lines: readonly string[], columns: number, rows: number): string[] {
  return lines.slice(0, Math.max(1, rows - 1)).map((line) => cut(line, columns));
}

export class Screen {
  /** q, Ctrl-C, or a signal. */
  readonly left: Promise<void>;
  readonly #out: Terminal;
  readonly #restore: () => void;

  constructor(out: Terminal, io: Io) {
    this.#out = out;
    let leave = (): void => {};
    this.left = new Promise((resolve) => {
      leave = resolve;
    });
    const forget = io.onSignal(leave);
    const stop = onKey(io.stdin, leave);
    this.#restore = () => {
      forget();
      stop();
      out.write(SHOW);
    };
    out.write(HIDE);
    cursorTo(out, 0, 0);
    clearScreenDown(out);
  }

  draw(lines: readonly string[]): void {
    const { columns, rows } = this.#out;
    cursorTo(this.#out, 0, 0);
    for (const line of fitted(lines, columns, rows)) {
      this.#out.write(line);
      clearLine(this.#out, 1);
      this.#out.write('\n');
    }
    clearScreenDown(this.#out);
  }

  close(): void {
    this.#restore();
  }
}

/** In raw mode a key comes at once, and Ctrl-C is one. */
function onKey(stdin: Readable, leave: () => void): () => void {
  if (!('setRawMode' in stdin) || typeof stdin.setRawMode !== 'function') return () => {};
  const { setRawMode } = stdin;
  const onData = (data: Buffer): void => {
    // several at once, where a key is held down; a key that is a sequence has an escape in front
    if (data[0] !== ESCAPE && ['q', 'Q', '\u0003'].some((key) => data.includes(key))) leave();
  };
  setRawMode.call(stdin, true);
  stdin.on('data', onData);
  return () => {
    stdin.off('data', onData);
    setRawMode.call(stdin, false);
    stdin.pause();
  };
}
