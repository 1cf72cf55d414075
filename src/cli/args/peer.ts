/** What is known of the other end: options that all commands share. */
import type { ConnectOptions } from '../connect.ts';
import { UsageError } from '../usage-error.ts';

export type Peer = Pick<ConnectOptions, 'backend' | 'proxied'>;

export const peerOptions = {
  backend: { type: 'string' },
  proxied: { type: 'boolean', default: false },
} as const;

export const peerHelp = `  --backend KIND     php-fpm, or generic: no PHP-FPM (default: found out)
  --proxied          a TCP proxy stands in between
`;

interface Given {
  readonly backend?: string | undefined;
  readonly proxied: boolean;
}

export function peerOf({ backend, proxied }: Given): Peer {
  return { ...(backend === undefined ? {} : { backend: kind(backend) }), ...(proxied ? { proxied } : {}) };
}

function kind(text: string): 'php-fpm' | 'generic' {
  if (text === 'php-fpm' || text === 'generic') return text;
  throw new UsageError(`--backend must be php-fpm or generic, not '${text}'`);
}
