/** DNS servers that answer for one kind of address, and fail for the other: old load balancers do so for AAAA. */
import { expect, it } from 'vitest';
import { lookupBy } from '../../../src/upstream/discovery/lookup.ts';
import { Upstream } from '../../../src/upstream/upstream.ts';
import { answering, ask } from '../support.ts';
import { type DnsServer, type Refusal, type Silence, startDnsServer } from './dns-server.ts';

const SIX = '2001:0db8:0000:0000:0000:0000:0000:0001';

it.each<[string, Refusal | Silence]>([
  ['SERVFAIL', 2],
  ['NOTIMP', 4],
  ['REFUSED', 5],
  ['nothing', 'silence'],
])('%s for AAAA: the addresses of IPv4 are the servers', async (_, aaaa) => {
  await using a = await answering('a', { transport: 'tcp' });
  await using dns = await startDnsServer({ a: ['127.0.0.1'], aaaa });
  const name = `fpm.test:${a.address.split(':')[1]}`;
  await using upstream = new Upstream([name], { resolve: true, nameservers: [dns.address] });
  expect(await ask(upstream)).toBe('a');
});

/** Looks up fpm.test again and again, by one look-up. */
function hosts(dns: DnsServer): () => Promise<string[]> {
  const lookup = lookupBy(true, [dns.address]);
  const target = { transport: 'tcp', host: 'fpm.test', port: 9000, name: 'fpm.test:9000' } as const;
  const source = { kind: 'name', origin: target.name, target, settings: {} } as never;
  return async () => (await lookup(source)).map(({ target: { name } }) => name);
}

it('the kind that fails for a moment keeps the addresses that it had, and loses those that are gone', async () => {
  await using dns = await startDnsServer({ a: ['127.0.0.1'], aaaa: [SIX] });
  const find = hosts(dns);
  const [four, six] = ['127.0.0.1:9000', '[2001:db8::1]:9000'];
  expect(await find()).toEqual([four, six]);
  dns.answers = { a: ['127.0.0.1', '127.0.0.2'], aaaa: 2 };
  expect(await find()).toEqual([four, '127.0.0.2:9000', six]);
  dns.answers = { a: 2, aaaa: [SIX] };
  expect(await find()).toEqual([four, '127.0.0.2:9000', six]);
  dns.answers = { a: ['127.0.0.1'], aaaa: [] };
  expect(await find()).toEqual([four]);
  dns.answers = { a: ['127.0.0.1'], aaaa: 2 };
  expect(await find()).toEqual([four]);
});

it('where neither kind has an address, the failure of one is told, and no absence', async () => {
  await using dns = await startDnsServer({ a: [], aaaa: 2 });
  await expect(hosts(dns)()).rejects.toMatchObject({ code: 'ESERVFAIL' });
  dns.answers = { a: [], aaaa: [] };
  await expect(hosts(dns)()).rejects.toMatchObject({ code: 'ENODATA' });
});
