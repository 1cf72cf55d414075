/** STDERR of one request, which comes in pieces: handed on as whole messages when it has ended, or has lasted. */
import { StringDecoder } from 'node:string_decoder';

/** Characters that are handed on in one piece at most. */
const MOST = 64 * 1024;
/** Milliseconds: a script that runs for long is to be heard meanwhile. PHP-FPM sends what belongs together at once. */
const WAIT = 500;

export class RequestStderr {
  readonly #hand: (text: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  #text = '';
  #timer: NodeJS.Timeout | null = null;
  #over = false;

  constructor(hand: (text: string) => void) {
    this.#hand = hand;
  }

  write(chunk: Uint8Array): void {
    this.#text += this.#decoder.write(Buffer.from(chunk));
    if (this.#over || this.#text.length > MOST) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), WAIT);
  }

  /** What comes after this is handed on as it comes. */
  end(): void {
    this.#over = true;
    this.#flush();
  }

  #flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const text = this.#text;
    this.#text = '';
    if (text !== '') this.#hand(text);
  }
}
