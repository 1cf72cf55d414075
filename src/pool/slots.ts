/**
 * The places of a pool, held by generic-pool; the only file that knows it. What it holds are places, not sockets: a
 * place is empty, or has one connection. So `create` cannot fail (generic-pool would try for ever, and never tell
 * the one who waits), and a retry can have a new connection without giving up its place to somebody else.
 * It hands out the place last given back first: few connections stay warm, the others reach their keepaliveTimeout.
 *
 * Under load a place goes from one job to the next without having been given back: the promises for that, and their
 * garbage, were a tenth of what a request costs.
 */
import type { Pool as GenericPool } from 'generic-pool';

export interface Vacant {
  /** It had a connection, and has none now. */
  readonly spent: boolean;
}

export class Places<P extends Vacant> {
  /** Null until it is loaded, which takes as long as all else together: it is not `import 'fastcgi-pool'` that waits. */
  #pool: GenericPool<P> | null = null;
  readonly #loaded: Promise<GenericPool<P>>;
  /** Free, and not given back yet. */
  readonly #inHand: P[] = [];

  constructor(most: number, make: () => P) {
    this.#loaded = load(most, make);
    this.#loaded.then(
      (pool) => {
        this.#pool = pool;
      },
      // it is told to whoever asks for a place
      () => undefined,
    );
  }

  /**
   * Calls `use`, now or in a moment; never waits for a place, as the caller takes no more than there are. `fail` is for
   * an installation without generic-pool.
   */
  take(use: (place: P) => void, fail: (error: unknown) => void): void {
    for (let place = this.#inHand.pop(); place !== undefined; place = this.#inHand.pop()) {
      if (!place.spent) {
        use(place);
        return;
      }
      void this.#pool?.destroy(place);
    }
    if (this.#pool !== null) this.#acquire(this.#pool, use);
    else this.#loaded.then((pool) => this.#acquire(pool, use), fail);
  }

  give(place: P): void {
    this.#inHand.push(place);
  }

  /** Called every few ms: gives back what nobody has taken. */
  settle(): void {
    for (const place of this.#inHand) void this.#pool?.release(place);
    this.#inHand.length = 0;
  }

  #acquire(pool: GenericPool<P>, use: (place: P) => void): void {
    void pool.acquire().then((place) => {
      if (!place.spent) {
        use(place);
        return;
      }
      // generic-pool has no way to drop what is idle: a place whose connection has gone would hide warm ones below it.
      void pool.destroy(place);
      this.#acquire(pool, use);
    });
  }
}

async function load<P>(most: number, make: () => P): Promise<GenericPool<P>> {
  const { createPool } = await import('generic-pool');
  const factory = { create: async (): Promise<P> => make(), destroy: async (): Promise<void> => undefined };
  return createPool(factory, { max: most, min: 0, fifo: false });
}
