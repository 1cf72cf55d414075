/**
 * What the pool learns of `pm.max_requests`. PHP-FPM closes a connection after so many requests of its worker, and a
 * request that is on its way then must be sent again. A pool that has seen a few connections in a row end after the
 * same number of requests sends the last one without FCGI_KEEP_CONN: the connection ends there by agreement, and
 * nothing is on its way. A wrong guess costs a new connection now and then, nothing else.
 */

/** So many connections in a row that ended at the same number are no chance: a reload ends them anywhere. */
const SURE = 3;
/** One connection of so many is not retired: if it lives on, the limit has changed and is forgotten. */
const CHECK_EVERY = 25;

export class Recycling {
  /** The learned number; Infinity: none. */
  limit: number = Number.POSITIVE_INFINITY;
  #candidate = 0;
  #seen = 0;
  #opened = 0;

  /** How many requests a new connection may carry. */
  cap(): number {
    if (this.limit === Number.POSITIVE_INFINITY) return this.limit;
    this.#opened++;
    return this.#opened % CHECK_EVERY === 0 ? Number.POSITIVE_INFINITY : this.limit;
  }

  /** The server closed a connection after it had answered `requests` on it. */
  ended(requests: number): void {
    if (requests < 1) return;
    this.#seen = requests === this.#candidate ? this.#seen + 1 : 1;
    this.#candidate = requests;
    if (this.#seen >= SURE) this.limit = requests;
  }

  /** A connection has answered `requests` and lives. */
  outlived(requests: number): void {
    if (requests <= this.limit) return;
    this.limit = Number.POSITIVE_INFINITY;
    this.#seen = 0;
  }
}
