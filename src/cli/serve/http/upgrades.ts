/** Requests that ask for another protocol, once somebody listens for WebSockets. */
import { type IncomingMessage, Server } from 'node:http';
import type { Server as AnyServer, Socket } from 'node:net';

/** Of this hop: without them the request is one that asks for no more than an answer. */
const ofUpgrade: ReadonlySet<string> = new Set(['connection', 'upgrade', 'http2-settings']);

/**
 * Where anybody listens for upgrades, Node hands them all to him, and answers none: a client that only offers HTTP/2 beside its
 * request, as Java's does, or a WebSocket that is not his, would wait for ever. What he does not take is read once more, without the
 * offer (RFC 9110, 7.8): so the site answers as where nobody listens.
 */
export function declineOffers(server: AnyServer, isTaken: (request: IncomingMessage) => boolean): void {
  const takes = (request: IncomingMessage): boolean => isWebSocket(request) && isTaken(request);
  // Node asks, but for 20: then it is a request as any other
  if ('shouldUpgradeCallback' in server) {
    Object.assign(server, { shouldUpgradeCallback: takes });
    return;
  }
  const opened = server instanceof Server ? 'connection' : 'secureConnection';
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (takes(request)) return;
    socket.unshift(Buffer.concat([headOf(request), head]));
    server.emit(opened, socket);
  });
}

function isWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

function headOf({ method, url, httpVersion, rawHeaders, headers }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (!ofUpgrade.has(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[i + 1]}`);
  }
  if (/(?:^|[\t ,])close(?:[\t ,]|$)/i.test(headers.connection ?? '')) lines.push('Connection: close');
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
