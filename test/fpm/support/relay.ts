/** A proxy of our own, at a port or a path: what real ones do seldom, or only at a moment that nobody can choose. */
import { once } from 'node:events';
import { connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import type { Endpoint } from './http-server.ts';

export interface RelayOptions {
  /** Hands on how the server's side ends. Default: as an end, whatever it was. */
  readonly ends?: (client: Socket, there: Socket) => void;
  /** Bytes of a client. True: they are dealt with, and not to be handed on. */
  readonly takes?: (bytes: Buffer, client: Socket, there: Socket) => boolean;
}

function asEnd(client: Socket, there: Socket): void {
  for (const end of ['end', 'close']) there.on(end, () => client.end());
}

/** Hands bytes on both ways, and goes on reading behind an end. */
export async function startRelay(
  to: Endpoint,
  on: ListenOptions,
  { ends = asEnd, takes = () => false }: RelayOptions = {},
): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const there = connect({ ...to, allowHalfOpen: true });
    client.on('data', (bytes) => {
      if (!takes(bytes, client, there)) there.write(bytes);
    });
    there.on('data', (bytes) => client.write(bytes));
    for (const socket of [client, there]) socket.on('error', () => {});
    client.on('close', () => there.destroy());
    ends(client, there);
  });
  server.listen(on);
  await once(server, 'listening');
  return server;
}
