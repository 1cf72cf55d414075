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
  /** By what a connection leads to: the name of the server that stands there now, as far as is known. */
  readonly #standing: Map<string, string> = new Map();
  #successors = 0;
  /** Of the one to which the latest connection leads. */
  latest: BackendKind;

  /** `now`: ms, monotonic. */
  constructor(settings: PoolSettings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
    this.latest = new BackendKind(settings);
  }

  /**
   * A connection was opened that leads to `address`. `mayBeOther`: another server may stand there by now, and at the other addresses of the same
   * name. What tells it from those before is returned.
   */
  connected(address: string, mayBeOther = false): string {
    if (mayBeOther) this.#distrust();
    const endpoint = this.#standing.get(address) ?? address;
    this.#standing.set(address, endpoint);
    if (this.#standing.size > MOST) this.#forgetAddress(address);
    const follows = endpoint !== address ? 'likely-the-same' : this.latest.isSettled ? 'other' : null;
    this.latest = this.#at(endpoint, follows);
    return endpoint;
  }

  at(endpoint: string): BackendKind {
    return this.#at(endpoint, null);
  }

  #at(endpoint: string, follows: Follows): BackendKind {
    const known = this.#known(endpoint);
    if (known !== undefined) return known;
    const added = new BackendKind(this.#settings, endpoint, this.#now(), follows);
    this.#byEndpoint.set(endpoint, added);
    if (this.#byEndpoint.size > MOST)
      this.#byEndpoint.delete(oldestOf(this.#byEndpoint, this.latest.endpoint));
    return added;
  }

  #known(endpoint: string): BackendKind | undefined {
    // The hot path.
    return endpoint === this.latest.endpoint ? this.latest : this.#byEndpoint.get(endpoint);
  }

  /** Of what is no php-fpm, or is behind a proxy, nothing is deduced that could be wrong of the next. */
  #distrust(): void {
    for (const [address, endpoint] of this.#standing)
      if (this.#known(endpoint)?.isTrusted) this.#standing.set(address, `${address} (${++this.#successors})`);
  }

  /** The oldest, but `latest`; and all that stood there, as the next one there must not be taken for it. */
  #forgetAddress(latest: string): void {
    const oldest = oldestOf(this.#standing, latest);
    for (const endpoint of [oldest, this.#standing.get(oldest) ?? oldest]) this.#byEndpoint.delete(endpoint);
    this.#standing.delete(oldest);
  }
}

/** But `kept`. Of `map`, which has more than one. */
function oldestOf(map: ReadonlyMap<string, unknown>, kept: string): string {
  return [...map.keys()].find((key) => key !== kept) ?? kept;
}
