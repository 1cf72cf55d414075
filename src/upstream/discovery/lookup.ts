/** From a name to servers: the system's resolver, DNS servers of one's own, or a function of the caller's. */
import { Resolver, lookup as systemLookup } from 'node:dns/promises';
import { parseAddress } from '../../connection/socket/address.ts';
import { ArgumentError } from '../../errors.ts';
import type { Resolve, ServerSettings } from '../options.ts';
import { type Found, type Source, serverOf } from './source.ts';

export type Lookup = (source: Source) => Promise<readonly Found[]>;

type Addresses = (host: string) => Promise<readonly string[]>;

/** Rejects where there is no answer, or an empty one: then what was found before is kept. */
export function lookupBy(resolve: boolean | Resolve, nameservers: readonly string[]): Lookup {
  const resolver = new Resolver();
  if (nameservers.length > 0) setServers(resolver, nameservers);
  const addresses: Addresses = nameservers.length > 0 ? (host) => ask(resolver, host) : askSystem;
  return async (source) => {
    const { target, settings, origin } = source;
    const found: Found[] = [];
    if (source.kind === 'service') {
      found.push(...(await services(resolver, addresses, origin, settings)));
    } else if (target.transport === 'tcp') {
      if (typeof resolve === 'function') {
        for (const given of await resolve(target.host, target.port)) {
          // A bare address has the options of its name.
          const named = typeof given === 'object' && 'address' in given;
          const server = serverOf(given);
          found.push({ target: server.target, origin, settings: named ? server.settings : settings });
        }
      } else {
        for (const host of await addresses(target.host))
          found.push({ target: parseAddress({ host, port: target.port }), origin, settings });
      }
    }
    if (found.length === 0) throw new Error(`${origin} stands for no server`);
    return found;
  };
}

/** RFC 2782: those of the lowest priority first, the others where these cannot be had. */
async function services(
  resolver: Resolver,
  addresses: Addresses,
  origin: string,
  settings: ServerSettings,
): Promise<Found[]> {
  const records = await resolver.resolveSrv(origin);
  const first = Math.min(...records.map(({ priority }) => priority));
  const found = await Promise.all(
    records.map(async ({ name, port, weight, priority }) => {
      const own = {
        ...settings,
        weight: settings.weight * Math.max(1, weight),
        backup: settings.backup || priority > first,
      };
      const hosts = await addresses(name);
      return hosts.map((host) => ({ target: parseAddress({ host, port }), origin, settings: own }));
    }),
  );
  return found.flat();
}

/** As getaddrinfo(3) has it, /etc/hosts and all. */
async function askSystem(host: string): Promise<readonly string[]> {
  return (await systemLookup(host, { all: true })).map(({ address }) => address);
}

async function ask(resolver: Resolver, host: string): Promise<readonly string[]> {
  const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  const found = [
    ...(four.status === 'fulfilled' ? four.value : []),
    ...(six.status === 'fulfilled' ? six.value : []),
  ];
  if (found.length === 0 && four.status === 'rejected') throw four.reason;
  return found;
}

function setServers(resolver: Resolver, nameservers: readonly string[]): void {
  try {
    resolver.setServers(nameservers);
  } catch (error) {
    const message = `nameservers must be addresses: ${error instanceof Error ? error.message : error}`;
    throw new ArgumentError('FCGI_ERR_INVALID_ARG', 'nameservers', message);
  }
}
