/** Who asked, and how, where the connection is a proxy's: only what a trusted one says counts. */
import { BlockList, isIP } from 'node:net';
import type { Endpoint, HttpFacts } from '../../cgi/env.ts';
import { wrong } from '../checks.ts';
import { type Hop, hopOf, hopsOf } from './forwarded.ts';

/** Either `forwarded` (RFC 7239), or some of the others. */
export type ForwardedHeader =
  | 'forwarded'
  | 'x-forwarded-for'
  | 'x-forwarded-proto'
  | 'x-forwarded-host'
  | 'x-forwarded-port';

const headers: readonly string[] = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
] satisfies ForwardedHeader[];

/** Who is a proxy of ours. */
export interface Trust {
  /** `hop` 0 is who has connected (no address: by a unix socket), 1 the last that it names, and so on. */
  trusts(address: string | undefined, hop: number): boolean;
  /** The client, where the framework has found it in a header of another name. */
  readonly client?: string | undefined;
}

/** @throws ArgumentError FCGI_ERR_INVALID_ARG, naming the option. */
export function forwardedHeaders(heard: readonly string[]): ReadonlySet<string> {
  for (const name of heard) {
    if (!headers.includes(name)) throw wrong('forwardedHeaders', `holds some of ${headers.join(', ')}`);
  }
  // a proxy that sets one kind passes the other on as the client has sent it
  if (heard.includes('forwarded') && heard.length > 1) {
    throw wrong('forwardedHeaders', 'must not hold both "forwarded" and "x-forwarded-*"');
  }
  return new Set(heard);
}

/** So many addresses are remembered: the proxies in front are few, and clients may name as many as they like. */
const REMEMBERED = 256;

/** Those that are listed. */
export class TrustedProxies implements Trust {
  readonly #addresses = new BlockList();
  readonly #isUnixTrusted: boolean;
  /** What the list says of an address: to look one up costs more than the rest of a request's params. */
  readonly #known = new Map<string, boolean>();

  /** @throws ArgumentError FCGI_ERR_INVALID_ARG, naming the option. */
  constructor(addresses: readonly string[]) {
    for (const address of addresses) if (address !== 'unix') add(this.#addresses, address);
    this.#isUnixTrusted = addresses.includes('unix');
  }

  trusts(address: string | undefined): boolean {
    if (address === undefined) return this.#isUnixTrusted;
    const known = this.#known.get(address);
    if (known !== undefined) return known;
    const family = isIP(address);
    if (family === 0) return false;
    const isListed = this.#addresses.check(address, family === 4 ? 'ipv4' : 'ipv6');
    if (this.#known.size === REMEMBERED) this.#known.clear();
    this.#known.set(address, isListed);
    return isListed;
  }
}

/** The request as it came to the first of the proxies that are trusted. `heard`: the headers that they set. */
export function original(http: HttpFacts, trust: Trust, heard: ReadonlySet<string>): HttpFacts {
  if (!trust.trusts(http.remote?.address, 0)) return http;
  const all = [...http.headers];
  const hops = hopsOf(all, heard);
  const { client, index } = clientOf(hops.for, trust);
  // a proxy that sets these anew sends one value, one that adds to them as many as there were hops
  const proto = said(hops.proto, index)?.toLowerCase();
  const host = said(hops.host, index);
  const isTls = proto === 'https' || proto === 'wss' || (proto === undefined && http.tls === true);
  const seen = host === undefined ? http.headers : withHost(all, host);
  const port = portOf(said(hops.port, index)) ?? (proto ? portIn(seen, isTls) : undefined);
  return {
    ...http,
    remote: (trust.client === undefined ? client : hopOf(trust.client)) ?? http.remote,
    local: port === undefined ? http.local : { address: http.local?.address ?? '', port },
    tls: isTls,
    headers: seen,
  };
}

/** The last address that is not a proxy of ours; what stands before it anybody may have made up. */
function clientOf(
  hops: readonly Hop[],
  trust: Trust,
): { readonly client: Endpoint | undefined; readonly index: number } {
  let client: Endpoint | undefined;
  let index = 0;
  for (const hop of [...hops].reverse()) {
    if (hop === null) break;
    client = hop;
    if (!trust.trusts(hop.address, index + 1)) break;
    index++;
  }
  return { client, index: Math.min(index, Math.max(hops.length - 1, 0)) };
}

function add(list: BlockList, text: string): void {
  if (!isNetwork(text)) {
    throw wrong(
      'trustedProxies',
      `holds addresses, networks such as "10.0.0.0/8", and "unix", not "${text}"`,
    );
  }
  const [address = '', bits] = text.split('/');
  const isIpv4 = isIP(address) === 4;
  list.addSubnet(address, Number(bits ?? (isIpv4 ? 32 : 128)), isIpv4 ? 'ipv4' : 'ipv6');
}

/** An address, or one with the length of its prefix. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** `index` counts from the right. */
function said(values: readonly string[], index: number): string | undefined {
  const value = values[Math.max(values.length - 1 - index, 0)];
  return value === '' ? undefined : value;
}

function withHost(all: readonly (readonly [string, string])[], host: string): [string, string][] {
  const others = all.filter(([name]) => name.toLowerCase() !== 'host');
  return [['host', host], ...others.map(([name, value]): [string, string] => [name, value])];
}

function portIn(all: HttpFacts['headers'], isTls: boolean): number {
  for (const [name, value] of all) {
    const port = name.toLowerCase() === 'host' ? portOf(/:(\d+)$/.exec(value)?.[1]) : undefined;
    if (port !== undefined) return port;
  }
  return isTls ? 443 : 80;
}

function portOf(text: string | undefined): number | undefined {
  const port = text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port > 0 && port <= 65_535 ? port : undefined;
}
