/** Who stands in front of php-fpm: the pool in this process, the pool behind our HTTP gateway, and the rivals. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FcgiError } from '../../../src/errors.ts';
import { createHandler } from '../../../src/gateway/node.ts';
import type { DispatchHandler } from '../../../src/pool/dispatcher.ts';
import type { PoolOptions } from '../../../src/pool/options.ts';
import { Pool } from '../../../src/pool/pool.ts';
import {
  type Fpm,
  type RunningServer,
  scriptParams,
  startApache,
  startHaproxy,
  startNginx,
  startSocat,
} from '../../fpm/support/index.ts';
import { httpClient, PATIENCE } from './http-client.ts';
import type { Outcome } from './ledger.ts';
import { messageOf, type Shape } from './messages.ts';
import type { Script } from './scripts.ts';

export const OURS = ['pool', 'gateway'] as const;
export const RIVALS = ['nginx', 'Apache', 'HAProxy'] as const;
export type Contender = (typeof OURS)[number] | (typeof RIVALS)[number];

export interface Front {
  send(id: number, shape: Shape, script: Script): Promise<Outcome>;
  /** Requests sent again so far; null where nobody says. */
  retried(): number | null;
  stop(): Promise<void>;
}

export interface Setup {
  readonly fpm: Fpm;
  /** Connections to php-fpm: at most, and kept. */
  readonly connections: number;
  readonly pool?: PoolOptions | undefined;
  /** A TCP proxy stands between the pool and php-fpm, and the pool knows of it. */
  readonly proxied: boolean;
  /** One of which it does not. */
  readonly proxy?: 'HAProxy' | 'socat' | undefined;
  /** Where php-fpm is found; default: its own address. */
  readonly address?: string | undefined;
}

export function startFront(contender: Contender, setup: Setup): Promise<Front> {
  return starters[contender](setup);
}

const starters: Readonly<Record<Contender, (setup: Setup) => Promise<Front>>> = {
  pool: poolFront,
  gateway: gatewayFront,
  nginx: ({ fpm, connections }) => rival(startNginx({ fpm, keepalive: connections })),
  Apache: ({ fpm, connections }) => rival(startApache({ fpm, keepalive: connections })),
  HAProxy: ({ fpm, connections }) =>
    rival(startHaproxy({ mode: 'fcgi', fpm, keepalive: connections, maxConnections: connections })),
};

async function rival(starting: Promise<RunningServer>): Promise<Front> {
  const server = await starting;
  const client = httpClient(server.url);
  return {
    send: client.send,
    retried: () => null,
    async stop() {
      client.close();
      await server.stop();
    },
  };
}

async function startPool(setup: Setup): Promise<{ pool: Pool; stop: () => Promise<void> }> {
  const { fpm, connections, proxied } = setup;
  const kind = proxied ? 'HAProxy' : setup.proxy;
  const proxy =
    kind === undefined
      ? null
      : await (kind === 'HAProxy' ? startHaproxy({ mode: 'tcp', fpm }) : startSocat(fpm));
  const pool = new Pool(proxy?.address ?? setup.address ?? fpm.address, {
    connections,
    proxied,
    headersTimeout: PATIENCE,
    ...setup.pool,
  });
  const stop = async (): Promise<void> => {
    await pool.close();
    await proxy?.stop();
  };
  return { pool, stop };
}

async function poolFront(setup: Setup): Promise<Front> {
  const { pool, stop } = await startPool(setup);
  const send = (id: number, shape: Shape, script: Script): Promise<Outcome> => {
    const { method, contentType, body, expected } = messageOf(shape, id);
    const params = {
      ...scriptParams(setup.fpm.root, script),
      REQUEST_METHOD: method,
      QUERY_STRING: `id=${id}`,
      CONTENT_TYPE: contentType ?? '',
    };
    return new Promise((resolve) => pool.dispatch({ params, body }, collector(expected, resolve)));
  };
  return { send, retried: () => pool.stats.retried, stop };
}

async function gatewayFront(setup: Setup): Promise<Front> {
  const { pool, stop } = await startPool(setup);
  const errors = new Map<string, unknown>();
  const handler = createHandler(pool, {
    root: setup.fpm.root,
    onError: (error, request) => errors.set(request.url ?? '', error),
  });
  const server = createServer((request, response) => handler(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = httpClient(`http://127.0.0.1:${port}`);
  return {
    async send(id, shape, script) {
      const outcome = await client.send(id, shape, script);
      const url = `/${script}?id=${id}`;
      const error = errors.get(url);
      errors.delete(url);
      return outcome.kind === 'failed' && error !== undefined ? failure(error) : outcome;
    },
    retried: () => pool.stats.retried,
    async stop() {
      client.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await stop();
    },
  };
}

export function collector(expected: string, resolve: (outcome: Outcome) => void): DispatchHandler {
  let statusCode = 0;
  let text = '';
  return {
    onResponseStart: (_, status) => {
      statusCode = status;
    },
    onResponseData: (_, chunk) => {
      text += chunk.toString('latin1');
    },
    onResponseEnd: () => {
      if (statusCode !== 200) resolve({ kind: 'failed', reason: `status ${statusCode}`, executed: 'yes' });
      else resolve({ kind: text === expected ? 'answered' : 'wrong' });
    },
    onResponseError: (_, error) => resolve(failure(error)),
  };
}

function failure(error: unknown): Outcome {
  if (!(error instanceof FcgiError)) return { kind: 'failed', reason: String(error), executed: null };
  const { code, executed, phase, reused, attempts } = error;
  const reason = `${code} (executed ${executed}, ${phase}, ${reused ? 'kept' : 'fresh'}, attempts ${attempts})`;
  return { kind: 'failed', reason, executed };
}
