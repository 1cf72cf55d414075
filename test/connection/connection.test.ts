import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../../src/connection/connection.ts';
import { Exchange } from '../../src/connection/exchange.ts';
import { type RawServer, rawServer } from '../pool/support.ts';
import { openConnection } from './support.ts';

interface Sent extends AsyncDisposable {
  readonly server: RawServer;
  readonly socket: Socket;
  readonly connection: Connection;
  /** What the listener is told at the end. */
  readonly failed: Promise<unknown>;
}

/** A connection with one request on its way to a server that says nothing. */
async function sent(): Promise<Sent> {
  const server = await rawServer(() => {});
  const { clock, socket, connection } = await openConnection(server);
  const failed = new Promise<unknown>((resolve, reject) => {
    const listener = {
      onHead() {},
      onData() {},
      onStderr() {},
      onPart() {},
      onComplete: () => reject(new Error('it must fail')),
      onFailed: resolve,
    };
    connection.send(new Exchange(listener, 1, true, true, 0, 0), Buffer.alloc(8), [], clock.monotonic());
  });
  return {
    server,
    socket,
    connection,
    failed,
    [Symbol.asyncDispose]: async () => {
      connection.close('failed');
      await server[Symbol.asyncDispose]();
    },
  };
}

describe('a connection that the network ends', () => {
  it.each(['ETIMEDOUT', 'EHOSTUNREACH', 'ENETDOWN'])(
    '%s: an error of ours, whose cause is that of Node',
    async (code) => {
      await using one = await sent();
      const cause = Object.assign(new Error(`read ${code}`), { code, syscall: 'read' });
      one.socket.destroy(cause);
      expect(await one.failed).toMatchObject({
        name: 'SocketError',
        code: expect.stringMatching(/^FCGI_ERR_SOCKET/),
        message: expect.stringContaining(code),
        executed: 'unknown',
        cause,
      });
    },
  );
});

it('what its owner fails it with goes to the caller as it is', async () => {
  await using one = await sent();
  const reason = new Error('enough');
  one.connection.fail(reason, 'aborted');
  expect(await one.failed).toBe(reason);
  expect(one.connection.closed).toBe(true);
});
