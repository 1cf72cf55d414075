/** How the kernel writes the ends of a connection in its lists of sockets (Linux, /proc/net/tcp and tcp6). */
import { isIP } from 'node:net';
import { endianness } from 'node:os';

/**
 * `address`, of IPv4 or IPv6, and the port, in hex. Of the address: words of 32 bits, each in the order of bytes of the machine.
 * What is no address is no end of any connection: ''.
 */
export function listedAddress(
  address: string,
  port: number,
  isLittleEndian: boolean = endianness() === 'LE',
): string {
  // A scope (`fe80::1%eth0`) is not listed.
  const bytes = bytesOf(address.replace(/%.*/, ''));
  if (bytes === null) return '';
  const words: string[] = [];
  for (let at = 0; at < bytes.length; at += 4) {
    words.push(hex(isLittleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at), 8));
  }
  return `${words.join('')}:${hex(port, 4)}`;
}

function bytesOf(address: string): Buffer | null {
  const version = isIP(address);
  if (version === 0) return null;
  return version === 4 ? Buffer.from(address.split('.').map(Number)) : ipv6(address);
}

/** Of a valid one. */
function ipv6(address: string): Buffer {
  const bytes = Buffer.alloc(16);
  const [before = '', after] = address.split('::');
  groups(before).copy(bytes);
  if (after === undefined) return bytes;
  const last = groups(after);
  last.copy(bytes, bytes.length - last.length);
  return bytes;
}

/** Of one side of `::`; the last group may be an address of IPv4. */
function groups(side: string): Buffer {
  if (side === '') return Buffer.alloc(0);
  return Buffer.concat(
    side.split(':').map((group) => {
      if (group.includes('.')) return Buffer.from(group.split('.').map(Number));
      return Buffer.from(group.padStart(4, '0'), 'hex');
    }),
  );
}

function hex(number: number, digits: number): string {
  return number.toString(16).toUpperCase().padStart(digits, '0');
}
