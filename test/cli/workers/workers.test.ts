import type { ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import type { Io } from '../../../src/cli/io.ts';
import type { Setup } from '../../../src/cli/workers/messages.ts';
import { Workers } from '../../../src/cli/workers/workers.ts';
import { freePort } from '../../fpm/support/temp.ts';

/** A process that is ready when the test says so. */
class Child extends EventEmitter {
  readonly connected = true;
  readonly pid = undefined;

  send(): boolean {
    return true;
  }

  kill(): boolean {
    this.emit('close', null, 'SIGKILL');
    return true;
  }
}

/** 'connect', or why not. */
async function tryToConnect(port: number): Promise<unknown> {
  const socket = connect({ host: '127.0.0.1', port });
  const outcome = await once(socket, 'connect').then(
    () => 'connect',
    ({ code }) => code,
  );
  socket.destroy();
  return outcome;
}

it('nobody is accepted before there is a worker to answer: who is refused is helped by the next server of the proxy in front', async () => {
  const child = new Child();
  const io: Pick<Io, 'fork'> = { fork: () => child as EventEmitter as ChildProcess };
  const setup: Pick<Setup, 'command'> = { command: { workers: 1 } as Setup['command'] };
  const output = { log: () => {}, say: () => {}, php: () => {} };
  const workers = new Workers(setup as Setup, io as Io, output);
  const port = await freePort();
  const started = workers.start([{ host: '127.0.0.1', port }], null);
  expect(await tryToConnect(port)).toBe('ECONNREFUSED');
  child.emit('message', { kind: 'ready' });
  expect(await started).toEqual([`http://127.0.0.1:${port}`]);
  expect(await tryToConnect(port)).toBe('connect');
  workers.destroy();
});
