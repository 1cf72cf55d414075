/** A DNS server of one's own that answers for each kind of address as a test says: dnsmasq knows no way to fail. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** SERVFAIL, NOTIMP or REFUSED (RFC 1035, 4.1.1). */
export type Refusal = 2 | 4 | 5;

/** It says nothing at all. */
export type Silence = 'silence';

export interface DnsServer extends AsyncDisposable {
  /** For `nameservers`. */
  readonly address: string;
  /** What any name has from now on. */
  answers: { a: readonly string[] | Refusal | Silence; aaaa: readonly string[] | Refusal | Silence };
}

const HEADER = 12;
const TYPE_A = 1;
const TYPE_AAAA = 28;

export async function startDnsServer(answers: DnsServer['answers']): Promise<DnsServer> {
  const udp = createSocket('udp4');
  udp.on('message', (query, from) => {
    // The name ends with a label of no length; its type and its class follow.
    const end = query.indexOf(0, HEADER);
    const type = query.readUInt16BE(end + 1);
    const answer = type === TYPE_AAAA ? server.answers.aaaa : type === TYPE_A ? server.answers.a : [];
    if (answer === 'silence') return;
    const records = typeof answer === 'number' ? [] : answer.map((address) => record(type, address));
    const header = Buffer.from(query.subarray(0, HEADER));
    header.writeUInt16BE(0x8180 | (typeof answer === 'number' ? answer : 0), 2);
    header.writeUInt16BE(records.length, 6);
    header.writeUInt32BE(0, 8);
    udp.send(Buffer.concat([header, query.subarray(HEADER, end + 5), ...records]), from.port, from.address);
  });
  udp.bind(0, '127.0.0.1');
  await once(udp, 'listening');
  const server: DnsServer = {
    address: `127.0.0.1:${udp.address().port}`,
    answers,
    async [Symbol.asyncDispose]() {
      udp.close();
      await once(udp, 'close');
    },
  };
  return server;
}

/** Of the name in question, to be kept for no time. IPv6 is written in full. */
function record(type: number, address: string): Buffer {
  const bytes =
    type === TYPE_A
      ? Buffer.from(address.split('.').map(Number))
      : Buffer.from(address.replaceAll(':', ''), 'hex');
  const fixed = Buffer.from([0xc0, HEADER, 0, type, 0, 1, 0, 0, 0, 0, 0, bytes.length]);
  return Buffer.concat([fixed, bytes]);
}
