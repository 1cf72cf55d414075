/**
 * One listener for each AbortSignal, however many requests have been given it: Node warns of a leak where one signal
 * has eleven. It is taken away with the last of them, so that a signal that lives long holds nothing.
 */

export interface Abortable {
  onSignal(reason: unknown): void;
}

export class AbortListeners {
  readonly #bySignal: Map<AbortSignal, SharedListener> = new Map();

  add(signal: AbortSignal, request: Abortable): void {
    let listener = this.#bySignal.get(signal);
    if (listener === undefined) {
      listener = new SharedListener(signal);
      this.#bySignal.set(signal, listener);
      signal.addEventListener('abort', listener);
    }
    listener.requests.add(request);
  }

  remove(signal: AbortSignal, request: Abortable): void {
    const listener = this.#bySignal.get(signal);
    if (listener === undefined || !listener.requests.delete(request) || listener.requests.size > 0) return;
    this.#bySignal.delete(signal);
    signal.removeEventListener('abort', listener);
  }
}

class SharedListener {
  readonly requests: Set<Abortable> = new Set();
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  handleEvent(): void {
    for (const request of [...this.requests]) request.onSignal(this.#signal.reason);
  }
}
