/**
 * The slots of a pool, held by generic-pool; the only file that knows it. What it holds are slots, not sockets: a
 * slot is empty, or has one connection. So `create` cannot fail (generic-pool would try for ever, and never tell
 * the one who waits), and a retry can have a new connection without giving up its slot to somebody else.
 * It hands out the slot last given back first: few connections stay warm, the others reach their keepaliveTimeout.
 *
 * Under load a slot goes from one job to the next without having been given back: the promises for that, and their
 * garbage, were a tenth of what a request costs.
 */
import type { Pool as GenericPool } from 'generic-pool';

export interface PooledSlot {
  /** It had a connection, and has none now. */
  readonly spent: boolean;
}

export class Slots<P extends PooledSlot> {
  /** Null until it is loaded. */
  #pool: GenericPool<P> | null = null;
  readonly #loaded: Promise<GenericPool<P>>;
  /** Free, and not given back yet. */
  readonly #free: P[] = [];

  constructor(most: number, make: () => P) {
    this.#loaded = load(most, make);
    this.#loaded.then(
      (pool) => {
        this.#pool = pool;
      },
      // it is told to whoever asks for a slot
      () => undefined,
    );
  }

  /**
   * A slot that is in hand, without a closure for `acquire`; null: there is none.
   * The last given back that is warm. Where nothing warm is left anywhere, one that is empty is as good as a new one.
   */
  takeFree(): P | null {
    const free = this.#free;
    const last = free.pop();
    if (last === undefined || !last.spent) return last ?? null;
    const warm = free.findLastIndex(({ spent }) => !spent);
    if (warm < 0 && this.#pool?.available === 0) return last;
    free.push(last);
    return free.splice(warm, warm < 0 ? 0 : 1)[0] ?? null;
  }

  /**
   * Calls `use`, now or in a moment; never waits for a slot, as the caller takes no more than there are. `fail` is for
   * an installation without generic-pool.
   */
  acquire(use: (slot: P) => void, fail: (error: unknown) => void): void {
    const slot = this.takeFree();
    const pool = this.#pool;
    if (slot !== null) use(slot);
    else if (pool !== null) this.#acquire(pool, use);
    else this.#loaded.then((loaded) => this.#acquire(loaded, use), fail);
  }

  release(slot: P): void {
    this.#free.push(slot);
  }

  /** Called every few ms: gives back what nobody has taken. */
  releaseUnused(): void {
    for (const slot of this.#free) {
      if (slot.spent) void this.#pool?.destroy(slot);
      else void this.#pool?.release(slot);
    }
    this.#free.length = 0;
  }

  #acquire(pool: GenericPool<P>, use: (slot: P) => void): void {
    void pool.acquire().then((slot) => {
      if (!slot.spent) {
        use(slot);
        return;
      }
      // generic-pool has no way to drop what is idle: a slot whose connection has gone would hide warm ones below it.
      void pool.destroy(slot);
      this.#acquire(pool, use);
    });
  }
}

/**
 * It takes as long to load as all else together. `import 'fastcgi-pool'` does not wait for it, and with luck the first
 * request does not, either: it is loaded while the rest of the application is.
 */
const loading = import('generic-pool');
// A failure is told to whoever asks for a slot.
loading.catch(() => undefined);

async function load<P>(most: number, make: () => P): Promise<GenericPool<P>> {
  // A bundler that leaves it in a file of its own (esbuild's `splitting`) gives it this one name alone, as it is CommonJS.
  const { createPool } = (await loading).default;
  const factory = { create: async (): Promise<P> => make(), destroy: async (): Promise<void> => undefined };
  return createPool(factory, { max: most, min: 0, fifo: false });
}
