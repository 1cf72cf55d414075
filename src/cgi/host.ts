/** The host that a client asks for: the header Host (RFC 9110, 7.2). */
import type { ArgumentError } from '../errors.ts';
import { badHeader } from './headers.ts';

export interface HostPort {
  /** In small letters; '': none was said. */
  readonly name: string;
  /** '': the scheme's own. */
  readonly port: string;
}

/** One label at least, and none empty but the root behind the last dot. */
const isHost = /^((?!\.|[^:]*\.\.)[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{0,5}))?$/;

/** @throws ArgumentError FCGI_ERR_INVALID_ARG */
export function hostPort(header: string | Uint8Array | undefined): HostPort {
  if (header === undefined) return { name: '', port: '' };
  const [, name = '', port = ''] = (typeof header === 'string' ? isHost.exec(header) : null) ?? [];
  // an http URL without a host is none (RFC 9110, 4.2.1): applications would make links that lead nowhere
  if (name === '') throw badHeader('Host', 'is not HOST[:PORT]');
  // `example.org.` is the same host, and PHP applications compare names
  return { name: name.toLowerCase().replace(/(?<=[^.])\.$/, ''), port };
}

/**
 * Why a request cannot be answered, whatever is asked for: RFC 9112, 3.2. For where no params are made, which is where it would be
 * seen. Null: it can. `headers`: name and value in turn.
 */
export function hostRefusal(headers: readonly string[]): ArgumentError | null {
  let host: string | undefined;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
    if (host !== undefined) return badHeader('Host', 'came twice');
    host = headers[i + 1] ?? '';
    if (!isHost.test(host)) return badHeader('Host', 'is not HOST[:PORT]');
  }
  return null;
}
