/**
 * What is known of each server that stands or has stood at the address. php-fpm that is started anew, a proxy that is put in between, another
 * host of the same name are others, and what one has shown proves nothing of the next: a proxy taken for php-fpm had a
 * request run twice. Requests on connections to the one before are judged by what that one was.
 */
import type { PoolSettings } from '../options.ts';
import { BackendKind, type Follows } from './backend-kind.ts';

/** Of so many something is known: a name may stand for several hosts. */
const MOST = 16;

export class Backends {
  readonly #settings: PoolSettings;
  readonly #now: () => number;
  readonly #byEndpoint: Map<string, BackendKind> = new Map();
  /** Of the one to which the latest connection leads. */
  latest: BackendKind;
  /** So often another may have taken the place of one that was known. */
  #successors = 0;

  /** `now`: ms, monotonic. */
  constructor(settings: PoolSettings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
    this.latest = new BackendKind(settings);
  }

  /**
   * A connection was opened that leads to `endpoint`, where by now another server may stand (`mayBeOther`). What tells it from those before is
   * returned.
   */
  connected(endpoint: string, mayBeOther = false): string {
    // Of what is no php-fpm, or is behind a proxy, nothing is deduced that could be wrong of the next.
    const isOther = mayBeOther && this.latest.isTrusted;
    if (isOther) this.#successors++;
    const name = this.#successors === 0 ? endpoint : `${endpoint} (${this.#successors})`;
    const follows = isOther ? 'likely-the-same' : this.latest.isSettled ? 'other' : null;
    this.latest = this.#at(name, follows);
    return name;
  }

  at(endpoint: string): BackendKind {
    return this.#at(endpoint, null);
  }

  #at(endpoint: string, follows: Follows): BackendKind {
    // The hot path.
    if (endpoint === this.latest.endpoint) return this.latest;
    const known = this.#byEndpoint.get(endpoint);
    if (known !== undefined) return known;
    const added = new BackendKind(this.#settings, endpoint, this.#now(), follows);
    this.#byEndpoint.set(endpoint, added);
    if (this.#byEndpoint.size > MOST) {
      for (const [oldest, kind] of this.#byEndpoint) {
        if (kind === this.latest) continue;
        this.#byEndpoint.delete(oldest);
        break;
      }
    }
    return added;
  }
}
