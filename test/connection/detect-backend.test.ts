import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Clock, systemTimers } from '../../src/connection/clock.ts';
import { type DetectedBackend, detectBackend } from '../../src/connection/detect-backend.ts';
import { TcpSockets, type Unacknowledged } from '../../src/connection/evidence/acknowledged.ts';
import { parseAddress } from '../../src/connection/socket/address.ts';
import { type Connected, connect } from '../../src/connection/socket/connect.ts';
import { ReadBuffer } from '../../src/connection/socket/read-buffer.ts';
import { RecordType } from '../../src/protocol/constants.ts';
import { encodePairInto, pairBound } from '../../src/protocol/params.ts';
import { encodeRecord } from '../../src/protocol/record.ts';
import { tempDir } from '../fpm/support/temp.ts';
import { waitFor } from '../fpm/support/wait.ts';

/** How a connection ends on which one malformed record lies, or two; or behind its answer, or at once, so that no more is taken. */
type End = 'reset' | 'fin' | 'behind answer' | 'at once';

const VALUES = ((): Buffer => {
  const content = Buffer.alloc(pairBound('FCGI_MPXS_CONNS', '0'));
  const end = encodePairInto(content, 0, 'FCGI_MPXS_CONNS', '0');
  return encodeRecord(RecordType.GET_VALUES_RESULT, 0, content.subarray(0, end));
})();

interface Server {
  /** How its connections end, in turn; the last of them all that follow. */
  readonly ends: readonly End[];
  /** ms for an answer of its. */
  readonly timeout?: number;
  /** ms that our kernel takes to say what has been acknowledged. */
  readonly kernelTime?: number;
  readonly transport?: 'unix' | 'tcp';
}

/** What is found of a server that answers FCGI_GET_VALUES as PHP-FPM does. */
async function detected({
  ends,
  timeout = 5_000,
  kernelTime = 0,
  transport = 'tcp',
}: Server): Promise<DetectedBackend & { connections: number }> {
  let connections = 0;
  let opened = 0;
  // Of each connection, resolved once it may be used: one that ends at once has ended by then.
  const isOver: Promise<unknown>[] = [];
  const server = createServer((socket) => {
    const end = ends[Math.min(connections++, ends.length - 1)] ?? 'reset';
    socket.on('error', () => {});
    if (end === 'at once') socket.destroy();
    isOver.push(end === 'at once' ? once(socket, 'close') : Promise.resolve());
    socket.on('data', (bytes) => {
      if (bytes[1] !== RecordType.GET_VALUES) finish(socket, end);
      else socket.write(VALUES, () => end === 'behind answer' && socket.destroy());
    });
  });
  using folder = tempDir('detect-');
  const path = join(folder.path, 's');
  if (transport === 'unix') server.listen(path);
  else server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const clock = new Clock(systemTimers);
  clock.start(() => {});
  const { signal } = new AbortController();
  const readBuffer = new ReadBuffer();
  const tcpSockets = new TcpSockets();
  const bound = server.address() as AddressInfo | string;
  const target = parseAddress(typeof bound === 'string' ? `unix:${bound}` : `127.0.0.1:${bound.port}`);
  const open = async (): Promise<Connected> => {
    const connected = await connect(target, { timeout: 5_000, clock, readBuffer, tcpSockets, signal });
    const nth = opened++;
    await waitFor(() => isOver.length > nth);
    await isOver[nth];
    const unacknowledged = async (): Promise<Unacknowledged> => {
      if (kernelTime > 0) await new Promise<void>((resolve) => clock.after(kernelTime, resolve));
      return connected.unacknowledged?.() ?? 'unknown';
    };
    return { ...connected, unacknowledged };
  };
  try {
    return {
      ...(await detectBackend(open, { transport, clock, timeout, stop: signal })),
      connections,
    };
  } finally {
    clock.stop();
    server.close();
  }
}

function finish(socket: Socket, end: End): void {
  if (end === 'reset') socket.resetAndDestroy();
  else socket.destroy();
}

describe('is there a proxy in between', () => {
  it('no: what lies unread is reset, and what has been read ends in good order', async () => {
    expect(await detected({ ends: ['reset', 'fin'] })).toMatchObject({ isDirect: true, connections: 2 });
  });

  it('no, however long our kernel takes to say so: the server has ended the connection in time', async () => {
    const server: Server = { ends: ['reset', 'fin'], timeout: 1_000, kernelTime: 1_500 };
    expect(await detected(server)).toMatchObject({ isDirect: true, connections: 2 });
  });

  it.each([
    ['whatever ends is reset', ['reset']],
    ['whatever ends is ended in good order', ['fin']],
  ] as const)('yes: %s', async (_what, ends) => {
    expect(await detected({ ends })).toMatchObject({ isDirect: false });
  });

  it.each([
    ['reset what it had not accepted', ['reset', 'reset', 'reset', 'fin']],
    ['closed what it had not been sent yet', ['fin', 'fin', 'reset', 'fin']],
  ] as const)('a server that was restarted meanwhile, and %s, is taken for no proxy', async (_what, ends) => {
    expect(await detected({ ends })).toMatchObject({ isDirect: true, connections: 4 });
  });

  it('no: a worker that leaves behind its answer, or a PHP-FPM before 8.2, which always does, is looked at once more', async () => {
    const server: Server = { ends: ['behind answer', 'reset', 'fin'] };
    expect(await detected(server)).toMatchObject({ isDirect: true, connections: 3 });
  });

  it('no: a connection that a server has thrown away as it was stopped says nothing (unix)', async () => {
    const server: Server = { transport: 'unix', ends: ['at once', 'at once', 'fin'] };
    expect(await detected(server)).toMatchObject({ values: expect.any(Map), connections: 4 });
  });

  it('is found out, too, where it closes behind its answer before it was sent the rest (unix)', async () => {
    const server: Server = { transport: 'unix', ends: ['behind answer', 'fin'] };
    expect(await detected(server)).toMatchObject({ isDirect: false, connections: 4 });
  });
});
