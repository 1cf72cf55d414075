/** Where an HTTP server listens, and how messages name it. */
import { isIPv6 } from 'node:net';

export interface TcpListenAddress {
  readonly host: string;
  readonly port: number;
  /** Default false. */
  readonly tls?: boolean;
  /** Of `::`: not IPv4 as well. Default false. */
  readonly ipv6Only?: boolean;
}

export type ListenAddress =
  | TcpListenAddress
  | { readonly path: string }
  /** A socket that was handed over by whoever started us; TLS goes with those of TCP only. */
  | { readonly fd: number; readonly tls: boolean };

/** Both lines of nginx's `listen 80; listen [::]:80`: `::` leaves IPv4 to whoever names it, or it would find its port in use. */
export function besideIpv4(addresses: readonly ListenAddress[]): ListenAddress[] {
  // isIPv6() compiles an expression first, for 10 ms, which php-fpm would start later.
  const ports = new Set(addresses.map((one) => ('host' in one && !one.host.includes(':') ? one.port : 0)));
  return addresses.map((one) => {
    const isShared = 'host' in one && one.port > 0 && ports.has(one.port);
    return isShared && /^[0:]+$/.test(one.host) && isIPv6(one.host) ? { ...one, ipv6Only: true } : one;
  });
}

/** `127.0.0.1:8080`, `[::1]:8080`, `unix:/path` or `fd:3`. */
export function nameOf(address: ListenAddress): string {
  if ('path' in address) return `unix:${address.path}`;
  return 'fd' in address ? `fd:${address.fd}` : hostPort(address.host, address.port);
}

/**
 * Where a browser finds it; `address` is what the listening server says of itself: nothing, if its unix socket was handed
 * over. A name such as localhost is said rather than what it stands for.
 */
export function urlOf(
  where: ListenAddress,
  tls: boolean,
  address: { address: string; port: number } | string | null,
): string {
  if (typeof address === 'string' || address === null) return address ? `unix:${address}` : nameOf(where);
  const host = 'host' in where ? where.host : address.address;
  return `${tls ? 'https' : 'http'}://${hostPort(host, address.port)}`;
}

export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The first descriptor that systemd hands over: sd_listen_fds(3). */
const FIRST_FD = 3;

/** The sockets that systemd has passed to the process `pid`; LISTEN_PID may name another one, whose they are then. */
export function systemdSockets(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
  speaksTls: (fd: number) => boolean,
): ListenAddress[] {
  const count = Number(env['LISTEN_FDS'] ?? 0);
  if (env['LISTEN_PID'] !== String(pid) || !Number.isInteger(count) || count < 1 || count > 1000) return [];
  return Array.from({ length: count }, (_, nth) => FIRST_FD + nth).map((fd) => ({ fd, tls: speaksTls(fd) }));
}
