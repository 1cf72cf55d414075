/** Who stands in front of three hosts: our gateway over an Upstream, the same through HAProxy as a TCP proxy, nginx, HAProxy. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FcgiError } from '../../../src/errors.ts';
import { createHandler } from '../../../src/gateway/node.ts';
import { Upstream, type UpstreamOptions } from '../../../src/index.ts';
import type { Dispatcher } from '../../../src/pool/dispatcher.ts';
import { type RunningServer, startHaproxy, startNginx } from '../../fpm/support/index.ts';
import { httpClient } from '../storm/http-client.ts';
import type { Outcome } from '../storm/ledger.ts';
import type { Farm } from './farm.ts';
import { split } from './front.ts';

export interface Front {
  /** A form is posted; the number of the request is its own. */
  send(id: number): Promise<Outcome>;
  stop(): Promise<void>;
}

/** ms that each waits for an answer, and for a connection. All else is what it is by default. */
export const TIMEOUT = 2_000;
const KEPT = 8;

const ours: UpstreamOptions = { headersTimeout: TIMEOUT, connectTimeout: TIMEOUT };

export const contenders: Readonly<Record<string, (farm: Farm) => Promise<Front>>> = {
  'fastcgi-pool': (farm) => gateway(new Upstream(farm.addresses, ours), farm.root),
  'fastcgi-pool through HAProxy (tcp)': async (farm) => {
    const proxy = await startHaproxy({
      mode: 'tcp',
      ...split(farm.backends),
      // It waits for as long as timeout connect, a second at the most, before it tries another server.
      backend: '  balance leastconn\n  timeout connect 250ms',
      parameters: CHECKED,
    });
    const front = await gateway(
      new Upstream([proxy.address], { ...ours, proxied: true, connections: 6 * KEPT }),
      farm.root,
    );
    return { ...front, stop: () => front.stop().then(() => proxy.stop()) };
  },
  nginx: ({ backends, root }) =>
    rival(
      startNginx({
        ...split(backends),
        root,
        keepalive: KEPT,
        extra: `fastcgi_read_timeout ${TIMEOUT}ms; fastcgi_connect_timeout ${TIMEOUT}ms;`,
      }),
    ),
  HAProxy: ({ backends, root }) =>
    rival(
      startHaproxy({
        mode: 'fcgi',
        ...split(backends),
        root,
        keepalive: KEPT,
        backend: `  timeout server ${TIMEOUT}ms\n  timeout connect ${TIMEOUT}ms`,
        parameters: CHECKED,
      }),
    ),
};

/** Without it HAProxy never leaves a server alone. */
const CHECKED = ['check', 'check', 'check'];

async function rival(starting: Promise<RunningServer>): Promise<Front> {
  const server = await starting;
  const client = httpClient(server.url);
  return {
    send: (id) => client.send(id, 'form', 'echo.php'),
    async stop() {
      client.close();
      await server.stop();
    },
  };
}

async function gateway(dispatcher: Dispatcher, root: string): Promise<Front> {
  const errors = new Map<string, unknown>();
  const handler = createHandler(dispatcher, {
    root,
    onError: (error, request) => errors.set(request.url ?? '', error),
  });
  const server = createServer((request, response) => handler(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = httpClient(`http://127.0.0.1:${port}`);
  return {
    async send(id) {
      const outcome = await client.send(id, 'form', 'echo.php');
      const error = errors.get(`/echo.php?id=${id}`);
      if (outcome.kind !== 'failed' || !(error instanceof FcgiError)) return outcome;
      return { kind: 'failed', reason: `${error.code} ${error.executed}`, executed: error.executed };
    },
    async stop() {
      client.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await dispatcher.close();
    },
  };
}
