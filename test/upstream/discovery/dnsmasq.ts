/** A real DNS server of one's own, whose records a test changes. */
import { Resolver } from 'node:dns/promises';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child, need } from '../../fpm/support/child.ts';
import { freePort, tempDir } from '../../fpm/support/temp.ts';
import { waitFor } from '../../fpm/support/wait.ts';

export interface Dnsmasq extends AsyncDisposable {
  /** For `nameservers`. */
  readonly address: string;
  /** From now on `name` has these addresses of IPv4, and `six` of IPv6, and no others. Resolves once it is so. */
  set(name: string, addresses: readonly string[], six?: readonly string[]): Promise<void>;
  /** It answers nobody any more. */
  stop(): Promise<void>;
}

/** `services`: lines as `srv-host` has them, `_php-fpm._tcp.test,host.test,9000,0,1`. */
export async function startDnsmasq(services: readonly string[] = []): Promise<Dnsmasq> {
  const folder = tempDir('dnsmasq-');
  chmodSync(folder.path, 0o755);
  const port = await freePort();
  const hosts = join(folder.path, 'hosts');
  const config = join(folder.path, 'dnsmasq.conf');
  writeFileSync(hosts, '');
  const lines = [
    `port=${port}`,
    'listen-address=127.0.0.1',
    'bind-interfaces',
    'no-resolv',
    'no-hosts',
    'local=/test/',
    `addn-hosts=${hosts}`,
    `pid-file=${join(folder.path, 'pid')}`,
    ...services.map((service) => `srv-host=${service}`),
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const args = ['--keep-in-foreground', '--log-facility=-', `--conf-file=${config}`];
  const child = await Child.start({ command: need('dnsmasq'), args, ready: /started/ });
  const address = `127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    await child.stop();
    folder.remove();
  };
  return {
    address,
    async set(name, addresses, six = []) {
      writeFileSync(hosts, [...addresses, ...six].map((one) => `${one} ${name}\n`).join(''));
      child.kill('SIGHUP');
      const resolver = new Resolver();
      resolver.setServers([address]);
      const wanted = addresses.toSorted().join();
      await waitFor(async () => {
        const found: string[] = await resolver.resolve4(name).catch(() => []);
        return found.sort().join() === wanted;
      });
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
