/** Bytes to a server and bytes back, for what no HTTP client would send or show. */
import { once } from 'node:events';
import http from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export interface RawServer {
  readonly port: number;
  /** Sends and reads until the server closes; `error` is what the connection died of, or ''. */
  exchange(request: string | Buffer): Promise<{ text: string; error: string }>;
  open(): Promise<Socket>;
  close(): Promise<void>;
}

export async function rawServer(
  handler: http.RequestListener,
  settings: { maxHeadersCount?: number | undefined } = {},
): Promise<RawServer> {
  const server = http.createServer(handler);
  if (settings.maxHeadersCount !== undefined) server.maxHeadersCount = settings.maxHeadersCount;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const open = async (): Promise<Socket> => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    return socket;
  };
  return {
    port,
    open,
    async exchange(request) {
      const socket = await open();
      socket.write(request);
      let text = '';
      let error = '';
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        text += chunk;
      });
      socket.on('error', (failure: NodeJS.ErrnoException) => {
        error = failure.code ?? failure.message;
      });
      socket.on('end', () => socket.end());
      await once(socket, 'close');
      return { text, error };
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The text of responses, cut where the next begins. */
export function responses(text: string): string[] {
  return text.split(/(?=HTTP\/1\.1 \d{3} )/);
}
