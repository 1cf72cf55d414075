/** One server of an Upstream: its pool's server, its weight and its health. */
import { ArgumentError } from '../errors.ts';
import { checkOption, count, flag, type OptionRule } from '../pool/options.ts';
import type { Server } from '../pool/server.ts';
import { type Candidate, Health } from './health.ts';

/** nginx's parameters of those names. */
export interface ServerOptions {
  /** Its share of the requests. Default 1. */
  readonly weight?: number | undefined;
  /** Asked only where the others cannot be. Default false. */
  readonly backup?: boolean | undefined;
  /** Failures within `failTimeout` after which it is left alone for that time. Default 1; 0: never. */
  readonly maxFails?: number | undefined;
  /** ms. Default 10,000. */
  readonly failTimeout?: number | undefined;
}

const serverRules: {
  readonly weight: OptionRule<number>;
  readonly backup: OptionRule<boolean>;
  readonly maxFails: OptionRule<number>;
  readonly failTimeout: OptionRule<number>;
} = {
  weight: count(1, 1),
  backup: flag,
  maxFails: count(1, 0),
  failTimeout: { ...count(10_000, 0), unit: 'ms' },
};

export class Member implements Candidate {
  readonly server: Server;
  readonly weight: number;
  readonly backup: boolean;
  readonly health: Health;
  current = 0;

  constructor(server: Server, options: ServerOptions) {
    for (const [name, value] of Object.entries(options)) {
      if (!Object.hasOwn(serverRules, name)) {
        throw new ArgumentError(
          'FCGI_ERR_INVALID_ARG',
          name,
          `a server has no option ${JSON.stringify(name)}`,
        );
      }
      checkOption(name, value, serverRules[name as keyof ServerOptions]);
    }
    this.server = server;
    this.weight = options.weight ?? serverRules.weight.default;
    this.backup = options.backup ?? serverRules.backup.default;
    this.health = new Health(
      options.maxFails ?? serverRules.maxFails.default,
      options.failTimeout ?? serverRules.failTimeout.default,
    );
  }

  get load(): number {
    return this.server.busy;
  }
}
