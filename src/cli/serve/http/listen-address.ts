/** Where an HTTP server listens, and how the place is named to people. */

export interface TcpPlace {
  readonly host: string;
  readonly port: number;
  /** Default false. */
  readonly tls?: boolean;
}

export type Place =
  | TcpPlace
  | { readonly path: string }
  /** A socket that was handed over by whoever started us; TLS goes with those of TCP only. */
  | { readonly fd: number; readonly tls: boolean };

/** `127.0.0.1:8080`, `[::1]:8080`, `unix:/path` or `fd:3`. */
export function nameOf(place: Place): string {
  if ('path' in place) return `unix:${place.path}`;
  return 'fd' in place ? `fd:${place.fd}` : hostPort(place.host, place.port);
}

/** Where a browser finds it; `address` is what the listening server says of itself. */
export function urlOf(tls: boolean, address: { address: string; port: number } | string | null): string {
  if (typeof address === 'string' || address === null) return `unix:${address ?? ''}`;
  return `${tls ? 'https' : 'http'}://${hostPort(address.address, address.port)}`;
}

export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The first descriptor that systemd hands over: sd_listen_fds(3). */
const FIRST_FD = 3;

/** The sockets that are handed over to the process `pid`; they may have been meant for another one. */
export function handedOver(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
  tls: boolean,
): Place[] {
  const count = Number(env['LISTEN_FDS'] ?? 0);
  if (env['LISTEN_PID'] !== String(pid) || !Number.isInteger(count) || count < 1 || count > 1000) return [];
  return Array.from({ length: count }, (_, nth) => ({ fd: FIRST_FD + nth, tls }));
}
