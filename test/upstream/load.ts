/** Clients that post to several real PHP-FPM for as long as a test likes, and what became of each of their requests. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FcgiError, type Upstream } from '../../src/index.ts';
import {
  type ExecutionLog,
  executionLog,
  type Fpm,
  type FpmOptions,
  scriptParams,
  startFpm,
  tempDir,
  waitFor,
} from '../fpm/support/index.ts';

const FORM = { REQUEST_METHOD: 'POST', CONTENT_TYPE: 'application/x-www-form-urlencoded' } as const;

/** Several PHP-FPM that run the same script, each with a name of its own in the environment: NODE. */
export interface Farm extends AsyncDisposable {
  readonly fpms: readonly Fpm[];
  readonly addresses: readonly string[];
  readonly log: ExecutionLog;
  readonly params: Readonly<Record<string, string>>;
}

/** `php` is run by each of them, after it has noted that it runs. */
export async function startFarm(names: readonly string[], php: string, options: FpmOptions[]): Promise<Farm> {
  const folder = tempDir('farm-');
  const root = join(folder.path, 'root');
  mkdirSync(root);
  const log = executionLog(root);
  writeFileSync(join(root, 'page.php'), `<?php ${log.php} ${php}`);
  const fpms = await Promise.all(
    names.map((name, i) => startFpm({ ...options[i % options.length], extra: `env[NODE] = ${name}` })),
  );
  return {
    fpms,
    addresses: fpms.map(({ address }) => address),
    log,
    params: { ...scriptParams(root, 'page.php'), ...FORM },
    async [Symbol.asyncDispose]() {
      await Promise.all(fpms.map((fpm) => fpm.stop()));
      folder.remove();
    },
  };
}

export interface Outcome {
  readonly answer: string;
  readonly error: FcgiError | null;
  /** ms */
  readonly took: number;
}

export class Load {
  readonly outcomes: Map<string, Outcome> = new Map();
  readonly #clients: Promise<unknown>;
  readonly #upstream: Upstream;
  readonly #params: Readonly<Record<string, string>>;
  #over = false;
  readonly #prefix: string;
  #sent = 0;

  /** `prefix` of the ids, where there is another load on the same farm. */
  constructor(upstream: Upstream, farm: Pick<Farm, 'params'>, clients: number, prefix = '') {
    this.#prefix = prefix;
    this.#upstream = upstream;
    this.#params = farm.params;
    this.#clients = Promise.all(Array.from({ length: clients }, () => this.#client()));
  }

  /** Resolves when so many more requests have been answered. */
  async more(count: number): Promise<void> {
    const enough = this.answered + count;
    await waitFor(() => this.answered >= enough, { timeout: 20_000, what: `${count} more answers` });
  }

  get answered(): number {
    return [...this.outcomes.values()].filter(({ error }) => error === null).length;
  }

  get failed(): readonly FcgiError[] {
    return [...this.outcomes.values()].flatMap(({ error }) => (error === null ? [] : [error]));
  }

  /** How many of the answers came from a node. */
  from(node: string): number {
    return [...this.outcomes.values()].filter(({ answer }) => answer === node).length;
  }

  async end(): Promise<void> {
    this.#over = true;
    await this.#clients;
  }

  async #client(): Promise<void> {
    while (!this.#over) {
      const id = `${this.#prefix}${this.#sent++}`;
      const begun = performance.now();
      const [answer, error] = await this.#post(id);
      // the test has failed and closed it: to ask on and on would leave nobody a turn to say why
      if (error?.code === 'FCGI_ERR_CLOSED' || error?.code === 'FCGI_ERR_DESTROYED') return;
      this.outcomes.set(id, { answer, error, took: performance.now() - begun });
    }
  }

  async #post(id: string): Promise<[string, FcgiError | null]> {
    try {
      const params = { ...this.#params, REQUEST_ID: id };
      const response = await this.#upstream.request({ params, body: 'a=1' });
      return [await response.body.text(), null];
    } catch (error) {
      if (error instanceof FcgiError) return ['', error];
      throw error;
    }
  }
}

/** Ids that ran more than once, and ids that never ran and were failed, other than by a verdict that leaves it open. */
export function broken(farm: Pick<Farm, 'log'>, load: Load): { twice: string[]; lost: string[] } {
  const counts = farm.log.executions();
  return {
    twice: [...counts].filter(([, count]) => count > 1).map(([id]) => id),
    lost: [...load.outcomes]
      .filter(([id, { error }]) => error !== null && (error.executed === 'no' || !counts.has(id)))
      .map(([id, { error }]) => `${id}: ${error?.code} ${error?.executed} ${error?.message}`),
  };
}

export const NONE_BROKEN: ReturnType<typeof broken> = { twice: [], lost: [] };
