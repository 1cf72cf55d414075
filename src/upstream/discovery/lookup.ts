/** From a name to servers: the system's resolver, DNS servers of one's own, or a function of the caller's. */
import { Resolver, lookup as systemLookup } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { type Address, parseAddress } from '../../connection/socket/address.ts';
import { ArgumentError, errorCode, errorText } from '../../errors.ts';
import type { Resolve, ServerSettings, UpstreamServer } from '../options.ts';
import { type DiscoveredServer, type Source, serverOf } from './source.ts';

export type Lookup = (source: Source) => Promise<readonly DiscoveredServer[]>;

type Addresses = (host: string) => Promise<readonly string[]>;

/** Rejects where there is no answer, or an empty one: then what was found before is kept. */
export function lookupBy(resolve: boolean | Resolve, nameservers: readonly string[]): Lookup {
  const resolver = new Resolver();
  if (nameservers.length > 0) setServers(resolver, nameservers);
  const addresses: Addresses = nameservers.length > 0 ? askBoth(resolver) : askSystem;
  return async (source) => {
    const { target, settings, origin } = source;
    const found: DiscoveredServer[] = [];
    if (source.kind === 'service') {
      found.push(...(await services(resolver, addresses, origin, settings)));
    } else if (target.transport === 'tcp') {
      if (typeof resolve === 'function') {
        const all: unknown = await resolve(target.host, target.port);
        if (!isList(all)) throw new TypeError(`resolve must return a list of servers, not ${inspect(all)}`);
        for (const given of all) {
          // A bare address has the options of its name.
          const named = typeof given === 'object' && given !== null && 'address' in given;
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
): Promise<DiscoveredServer[]> {
  // A port of 0 and the name of the root both say that there is none.
  const records = (await resolver.resolveSrv(origin)).filter(
    ({ name, port }) => port > 0 && name !== '' && name !== '.',
  );
  const first = Math.min(...records.map(({ priority }) => priority));
  const found = await together(
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

/** Names whose addresses are remembered, the latest: those of a service's pods change for ever. */
const MOST_NAMES = 500;
/** ms that one kind of address waits for the other. A DNS server that drops questions for AAAA is given up after some ten seconds. */
const OTHER_KIND = 1_000;

/**
 * IPv4 and IPv6, as getaddrinfo(3) does. There are DNS servers that know nothing of AAAA, and fail or say nothing: what the other kind
 * has must do. A kind that has had addresses keeps them while it fails.
 */
function askBoth(resolver: Resolver): Addresses {
  const before = new Map<string, readonly (readonly string[])[]>();
  return async (host) => {
    const [four, six] = [resolver.resolve4(host), resolver.resolve6(host)];
    const settled = await Promise.allSettled([inTime(four, six), inTime(six, four)]);
    const failed = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    if (failed.length === settled.length) throw failed.find((error) => !isAbsent(error)) ?? failed[0];
    const known = before.get(host);
    const found = settled.map((one, kind) => {
      if (one.status === 'fulfilled') return one.value;
      return isAbsent(one.reason) ? [] : (known?.[kind] ?? []);
    });
    before.delete(host);
    // Of a host with one kind nothing is to be kept.
    if (found.every(({ length }) => length > 0)) before.set(host, found);
    const [oldest] = before.keys();
    if (before.size > MOST_NAMES && oldest !== undefined) before.delete(oldest);
    return found.flat();
  };
}

/** Rejects where the other kind has had addresses for a while. */
function inTime(own: Promise<readonly string[]>, other: Promise<unknown>): Promise<readonly string[]> {
  const silent = async (): Promise<never> => {
    await sleep(OTHER_KIND, null, { ref: false });
    throw new Error('the DNS server has answered for one kind of address only');
  };
  return Promise.race([own, other.then(silent, () => own)]);
}

/** What was found, of all. A name that is not there is an answer; any other failure is none, and what was found before is kept. */
async function together<T>(lookups: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(lookups);
  const found = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  for (const one of settled) {
    if (one.status === 'rejected' && (found.length === 0 || !isAbsent(one.reason))) throw one.reason;
  }
  return found;
}

function isAbsent(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENODATA' || code === 'ENOTFOUND';
}

function isList(value: unknown): value is Iterable<Address | UpstreamServer> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

function setServers(resolver: Resolver, nameservers: readonly string[]): void {
  try {
    resolver.setServers(nameservers);
  } catch (error) {
    const message = `nameservers must be addresses: ${errorText(error)}`;
    throw new ArgumentError('FCGI_ERR_INVALID_ARG', 'nameservers', message);
  }
}
