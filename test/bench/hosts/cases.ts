/** A server of two that misbehaves in one way, and how many of a few requests it costs. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type Backend, type Fpm, type FpmOptions, freePort, startFpm } from '../../fpm/support/index.ts';
import { startDnsmasq } from '../../upstream/discovery/dnsmasq.ts';
import { type Front, LOOK_UP, type Page, type Situation } from './front.ts';

export interface Case {
  readonly name: string;
  /** What is to be said of one contender. */
  readonly measure: (start: (situation: Situation) => Promise<Front>) => Promise<string>;
}

/** ms */
const TIMEOUT = 200;
const NODE = `echo getenv('NODE');`;
const HTTP = 'HTTP/1.1 400 Bad Request\r\n\r\n';
const HALF_A_HEAD = Buffer.from('\x01\x06\0\x01\0\x10\0\0Content-type: te');

export const cases: readonly Case[] = [
  talker('accepts and never answers', null),
  talker('speaks HTTP', HTTP),
  talker('hangs in the middle of a head', HALF_A_HEAD),
  {
    name: 'A kills its worker at each request, 20 GETs',
    async measure(start) {
      await using two = await pair(`if (getenv('NODE') === 'a') posix_kill(getmypid(), 9); ${NODE}`);
      const { pages } = await asked(start, two.situation, 20);
      const deaths = two.fpms[0]?.log().match(/exited on signal 9/g)?.length ?? 0;
      return `${failures(pages)} failed, A asked ${deaths} times`;
    },
  },
  ...(
    [
      [1, 1],
      [1, 3],
    ] as const
  ).map((weights) => ({
    name: `least connections, one after the other, weights ${weights.join(':')}, 40 GETs`,
    async measure(start: (situation: Situation) => Promise<Front>) {
      await using two = await pair(NODE);
      const { pages } = await asked(start, { ...two.situation, weights, leastConn: true }, 40);
      return ['a', 'b'].map((node) => count(pages, node)).join(' : ');
    },
  })),
  {
    name: 'A takes 1 s, B 5 ms, one connection to each, 6 GETs at once',
    async measure(start) {
      const php = `usleep(getenv('NODE') === 'a' ? 1000000 : 5000); ${NODE}`;
      await using two = await pair(php, { maxChildren: 1 });
      const front = await start({ ...two.situation, connections: 1, leastConn: true });
      const pages = await Promise.all(Array.from({ length: 6 }, () => front.get()));
      await front.stop();
      const quick = pages.filter(({ status, ms }) => status === 200 && ms < 900).length;
      return `${quick} answered within 0.9 s, ${failures(pages)} failed`;
    },
  },
  {
    name: 'a name of two addresses loses one: GETs that go there from 1 s later on',
    async measure(start) {
      const port = await freePort();
      const hosts = ['127.0.0.21', '127.0.0.22'] as const;
      await using two = await pair(NODE, { transport: 'tcp', port }, hosts);
      await using dns = await startDnsmasq();
      await dns.set('fpm.test', hosts);
      const front = await start({ ...two.situation, name: { host: 'fpm.test', port, dns: dns.address } });
      await delay(2 * LOOK_UP + 400);
      const before = await inTurn(front, 20);
      await dns.set('fpm.test', [hosts[1]]);
      await delay(1_000);
      const after = await inTurn(front, 20);
      await front.stop();
      return `${count(after, 'a')} of 20 (before: ${count(before, 'a')}), ${failures([...before, ...after])} failed`;
    },
  },
];

/** A says this to whoever asks, and no more. */
function talker(what: string, says: string | Uint8Array | null): Case {
  return {
    name: `A ${what}, 12 GETs`,
    async measure(start) {
      await using fpm = await startFpm({ files: { 'page.php': NODE } });
      let times = 0;
      const server = createServer((socket) => {
        socket.on('error', () => {});
        socket.once('data', () => {
          times++;
          if (says !== null) socket.write(says);
        });
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const backends: Backend[] = [{ endpoint: { host: '127.0.0.1', port }, root: fpm.root }, fpm];
      const { pages } = await asked(start, { backends, root: fpm.root, timeout: TIMEOUT }, 12);
      server.close();
      return `${failures(pages)} failed, A asked ${times} times`;
    },
  };
}

async function asked(
  start: (situation: Situation) => Promise<Front>,
  situation: Situation,
  times: number,
): Promise<{ pages: Page[] }> {
  const front = await start(situation);
  try {
    return { pages: await inTurn(front, times) };
  } finally {
    await front.stop();
  }
}

async function inTurn(front: Front, times: number): Promise<Page[]> {
  const pages: Page[] = [];
  for (let i = 0; i < times; i++) pages.push(await front.get());
  return pages;
}

const failures = (pages: readonly Page[]): number => pages.filter(({ status }) => status !== 200).length;
const count = (pages: readonly Page[], node: string): number =>
  pages.filter(({ text }) => text === node).length;

interface Two extends AsyncDisposable {
  readonly fpms: readonly Fpm[];
  readonly situation: Situation;
}

/** Two PHP-FPM with the same page. */
async function pair(php: string, options: FpmOptions = {}, hosts: readonly string[] = []): Promise<Two> {
  const fpms = await Promise.all(
    ['a', 'b'].map((node, i) =>
      startFpm({
        ...options,
        ...(hosts[i] === undefined ? {} : { host: hosts[i] }),
        extra: `env[NODE] = ${node}`,
        files: { 'page.php': php },
      }),
    ),
  );
  const root = fpms[0]?.root ?? '';
  return {
    fpms,
    // Both read the first one's files.
    situation: { backends: fpms.map(({ endpoint }) => ({ endpoint, root })), root },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(fpms.map((fpm) => fpm.stop()));
    },
  };
}
