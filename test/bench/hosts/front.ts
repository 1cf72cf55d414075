/** Several servers behind our gateway, nginx or HAProxy, as one asks for a page through each of them. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHandler } from '../../../src/gateway/node.ts';
import { Upstream, type UpstreamOptions, type UpstreamServer } from '../../../src/index.ts';
import { type Backend, startHaproxy, startNginx } from '../../fpm/support/index.ts';
import type { Answer } from '../lib/php.ts';

/** The same situation for each. */
export interface Situation {
  readonly backends: readonly Backend[];
  readonly root: string;
  /** ms for an answer; default: each one's own. */
  readonly timeout?: number;
  readonly weights?: readonly number[];
  readonly leastConn?: boolean;
  /** Connections to each at most. */
  readonly connections?: number;
  /** In place of the addresses: a name, its port, and who knows it. */
  readonly name?: { readonly host: string; readonly port: number; readonly dns: string };
}

export interface Page extends Answer {
  readonly text: string;
}

export interface Front {
  get(): Promise<Page>;
  stop(): Promise<void>;
}

/** ms between two look-ups, of those who look up again. */
export const LOOK_UP = 200;

const ours =
  (more: UpstreamOptions) =>
  async ({ backends, root, timeout, weights, connections, name }: Situation): Promise<Front> => {
    const servers = backends.map(
      ({ endpoint }, i): UpstreamServer => ({
        address: 'path' in endpoint ? `unix:${endpoint.path}` : `${endpoint.host}:${endpoint.port}`,
        weight: weights?.[i],
      }),
    );
    const upstream = new Upstream(name === undefined ? servers : [`${name.host}:${name.port}`], {
      headersTimeout: timeout,
      connections,
      ...(name === undefined ? {} : { resolve: true, resolveInterval: LOOK_UP, nameservers: [name.dns] }),
      ...more,
    });
    const handler = createHandler(upstream, { root, onError: () => {} });
    const server = createServer((request, response) => handler(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return {
      get: () => page(`http://127.0.0.1:${port}`),
      async stop() {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
        await upstream.destroy();
      },
    };
  };

export const fronts: Readonly<Record<string, (situation: Situation) => Promise<Front>>> = {
  'fastcgi-pool': ours({}),
  "fastcgi-pool, retry: 'idempotent'": ours({ retry: 'idempotent' }),
  async nginx({ backends, root, timeout, weights, leastConn, connections }) {
    const server = await startNginx({
      ...split(backends),
      root,
      parameters: backends.map((_, i) =>
        [
          `weight=${weights?.[i] ?? 1}`,
          ...(connections === undefined ? [] : [`max_conns=${connections}`]),
        ].join(' '),
      ),
      balance: leastConn ? 'least_conn;' : '',
      extra: timeout === undefined ? '' : `fastcgi_read_timeout ${timeout}ms;`,
    });
    return { get: () => page(server.url), stop: () => server.stop() };
  },
  async HAProxy({ backends, root, timeout, weights, leastConn, connections, name }) {
    const lines = [
      ...(leastConn ? ['  balance leastconn'] : []),
      ...(timeout === undefined ? [] : [`  timeout server ${timeout}ms`]),
      ...(name === undefined
        ? []
        : [
            `  server-template host 2 ${name.host}:${name.port} resolvers dns init-addr none proto fcgi check inter ${LOOK_UP}ms`,
          ]),
    ];
    const server = await startHaproxy({
      mode: 'fcgi',
      ...split(backends),
      root,
      parameters: backends.map((_, i) =>
        name === undefined ? `check weight ${weights?.[i] ?? 1}` : 'disabled',
      ),
      ...(connections === undefined ? {} : { maxConnections: connections }),
      backend: lines.join('\n'),
      sections:
        name === undefined
          ? ''
          : `resolvers dns\n  nameserver one ${name.dns}\n  hold valid ${LOOK_UP}ms\n  hold obsolete 0s\n  timeout resolve ${LOOK_UP}ms\n`,
    });
    return { get: () => page(server.url), stop: () => server.stop() };
  },
};

export function split(backends: readonly Backend[]): { fpm: Backend; others: readonly Backend[] } {
  const [fpm, ...others] = backends;
  if (fpm === undefined) throw new Error('there is no host');
  return { fpm, others };
}

async function page(url: string): Promise<Page> {
  const begun = performance.now();
  try {
    const response = await fetch(`${url}/page.php`);
    const text = await response.text();
    return { status: response.status, text, ms: performance.now() - begun };
  } catch {
    return { status: 0, text: '', ms: performance.now() - begun };
  }
}
