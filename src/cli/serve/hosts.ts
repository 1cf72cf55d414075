/** Which of several sites a request is for, by the name of the host that it asks: nginx's `server_name`. */
import { parseTarget } from '../../cgi/target.ts';

/** `hosts` of each site: names and `*.example.org`, in lower case. The first site answers for all other names. */
export class Hosts {
  readonly #exact = new Map<string, number>();
  /** By `.example.org`. */
  readonly #below = new Map<string, number>();

  constructor(sites: readonly { readonly hosts: readonly string[] }[]) {
    for (const [nth, { hosts }] of sites.entries()) {
      for (const host of hosts) {
        if (host.startsWith('*.')) this.#below.set(host.slice(1), nth);
        else this.#exact.set(host, nth);
      }
    }
  }

  /** The index of the site; an exact name wins over a pattern, a longer pattern over a shorter one. */
  find(hostHeader: string | undefined): number {
    const name = plainName(hostHeader ?? '');
    const exact = this.#exact.get(name);
    if (exact !== undefined || this.#below.size === 0) return exact ?? 0;
    for (let dot = name.indexOf('.', 1); dot !== -1; dot = name.indexOf('.', dot + 1)) {
      const below = this.#below.get(name.slice(dot));
      if (below !== undefined) return below;
    }
    return 0;
  }
}

/** The host of a target that is a whole URL counts, whatever Host says (RFC 9112, 3.2.2): PHP is told that one, too. */
export function askedHost(url: string, hostHeader: string | undefined): string | undefined {
  if (url.startsWith('/')) return hostHeader;
  const target = parseTarget(url);
  return 'refused' in target ? hostHeader : target.authority;
}

/** Without the port and the dot at the end, in lower case. */
function plainName(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
}
