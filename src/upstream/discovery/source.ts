/** What the caller gave as a server: an address, a name that stands for several, a DNS service. */
import { isIP } from 'node:net';
import { type Address, parseAddress, type Target } from '../../connection/socket/address.ts';
import { ArgumentError, type ConnectError } from '../../errors.ts';
import {
  resolveServerOptions,
  type ServerSettings,
  serverRules,
  type UpstreamServer,
  type UpstreamService,
} from '../options.ts';

export type ServerInput = Address | UpstreamServer | UpstreamService;

/** A server that is to be used. */
export interface DiscoveredServer {
  readonly target: Target;
  readonly settings: ServerSettings;
  /** What it was found by. */
  readonly origin: string;
  /** It stands for servers that nobody knows, as the look-up has failed: whoever asks it is told this. */
  readonly unknown?: ConnectError;
}

export interface Source {
  readonly origin: string;
  readonly settings: ServerSettings;
  /** `'address'`: it is what it says. */
  readonly kind: 'address' | 'host' | 'service';
  /** Of a host or a service, too: by its name it is shown where nothing is known of it. */
  readonly target: Target;
}

/** Throws FCGI_ERR_INVALID_ARG that names what is wrong. */
export function sourcesOf(servers: readonly ServerInput[], resolve: boolean): readonly Source[] {
  if (!Array.isArray(servers) || servers.length === 0) {
    const message = 'servers must be a list of at least one address';
    throw new ArgumentError('FCGI_ERR_INVALID_ARG', 'servers', message);
  }
  return servers.map((given: ServerInput) => sourceOf(given, resolve));
}

function sourceOf(given: ServerInput, resolve: boolean): Source {
  if (isObject(given) && 'srv' in given) {
    const { srv, ...options } = given;
    if ('address' in given) {
      throw new ArgumentError('FCGI_ERR_INVALID_ARG', 'srv', 'a server has an address or a srv, not both');
    }
    if (typeof srv !== 'string' || srv === '') {
      throw new ArgumentError('FCGI_ERR_INVALID_ARG', 'srv', 'srv must be the name of a DNS service');
    }
    const target = { transport: 'tcp', host: srv, port: 1, name: srv } as const;
    return { origin: srv, settings: resolveServerOptions(options), kind: 'service', target };
  }
  const { target, settings } = serverOf(given);
  const named = target.transport === 'tcp' && isIP(target.host) === 0;
  return { origin: target.name, settings, kind: resolve && named ? 'host' : 'address', target };
}

export function serverOf(given: Address | UpstreamServer): { target: Target; settings: ServerSettings } {
  if (
    isObject(given) &&
    Object.keys(given).some((name) => Object.hasOwn(serverRules, name)) &&
    !('address' in given)
  ) {
    throw new ArgumentError('FCGI_ERR_INVALID_ARG', 'address', 'a server must have an address (or a srv)');
  }
  const { address, ...options } = isObject(given) && 'address' in given ? given : { address: given };
  return { target: parseAddress(address), settings: resolveServerOptions(options) };
}

function isObject(given: ServerInput): given is Exclude<ServerInput, string> {
  return typeof given === 'object' && given !== null;
}
