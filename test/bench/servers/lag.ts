/**
 * A network on which each packet is a millisecond under way, handshakes and all. Not every kernel has netem; a TUN
 * device does as well: what is sent to FAR comes here, and goes back with its two addresses exchanged, so that it
 * arrives at NEAR as if it came from FAR. (The checksums are sums: they stay what they are.) Needs root, and is meant
 * for a network namespace of its own.
 */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { need } from '../../fpm/support/child.ts';
import { FAR, NEAR } from '../lib/lagging.ts';

const DELAY = 1;
const SOURCE = 12;
const DESTINATION = 16;
const END = 20;

const udp = createSocket('udp4');
udp.on('message', (packet, from) => {
  const isIpv4 = (packet[0] ?? 0) >> 4 === 4;
  if (!isIpv4 || packet.length < END) return;
  const source = Buffer.from(packet.subarray(SOURCE, DESTINATION));
  packet.copyWithin(SOURCE, DESTINATION, END);
  packet.set(source, DESTINATION);
  setTimeout(() => udp.send(packet, from.port, from.address), DELAY);
});
udp.bind(0, '127.0.0.1', () => {
  const tun = `TUN:${NEAR}/30,iff-no-pi,up`;
  const socat = spawn(need('socat'), ['-b', '70000', tun, `UDP:127.0.0.1:${udp.address().port}`], {
    stdio: 'inherit',
  });
  socat.once('error', fail);
  socat.once('exit', () => fail(new Error('socat has ended')));
  const timer = setInterval(() => {
    const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    if (!addresses.some(({ address }) => address === NEAR)) return;
    clearInterval(timer);
    process.send?.(FAR);
  }, 20);
  process.once('exit', () => socat.kill());
});
process.once('disconnect', () => process.exit());
process.once('SIGTERM', () => process.exit());

function fail(error: Error): void {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
