/** The names of a socket. */
import { realpathSync } from 'node:fs';
import { parseAddress, type Target } from '../../connection/socket/address.ts';

/** Without links: Debian's /run/php/php-fpm.sock is one to the socket of the version that is chosen. The same where there is none. */
export function followed(target: Target): Target {
  if (target.transport === 'tcp')
    return target.host === 'localhost' ? parseAddress({ host: '127.0.0.1', port: target.port }) : target;
  try {
    return parseAddress({ path: realpathSync(target.path) });
  } catch {
    return target;
  }
}
