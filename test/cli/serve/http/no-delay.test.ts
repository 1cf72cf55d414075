import { once } from 'node:events';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { type AddressInfo, createServer, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished, vi } from 'vitest';
import { Listener } from '../../../../src/cli/serve/http/listener.ts';
import { localhostCertificate } from '../../support/certificate.ts';
import { http1 } from '../../support/handler.ts';

async function listenerFor(tls: boolean): Promise<Listener> {
  const listener = new Listener(
    http1((_, res) => res.end('here')),
    tls ? await localhostCertificate() : null,
  );
  onTestFinished(() => listener.destroy());
  return listener;
}

/** Whether the second part of an answer would wait for the client to acknowledge the first, for which Linux takes 40 ms. */
async function waits(port: number, tls: boolean, accepted: () => Socket): Promise<boolean> {
  const spied = vi.spyOn(Socket.prototype, 'setNoDelay');
  onTestFinished(() => spied.mockRestore());
  const [response] = tls
    ? await once(
        requestHttps({ host: '127.0.0.1', port, rejectUnauthorized: false, agent: false }).end(),
        'response',
      )
    : await once(requestHttp({ host: '127.0.0.1', port, agent: false }).end(), 'response');
  expect(await text(response)).toBe('here');
  return !spied.mock.contexts.includes(accepted());
}

it.each([
  { how: 'HTTP', tls: false },
  { how: 'HTTPS', tls: true },
])(
  'no part of an answer waits for an acknowledgement of the one before, where another process has accepted the connection: $how',
  async ({ tls }) => {
    const [take = () => {}] = await (await listenerFor(tls)).accepting([{ tls }]);
    let accepted = new Socket();
    const server = createServer((socket) => {
      accepted = socket;
      take(socket);
    });
    onTestFinished(() => void server.close());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    expect(await waits((server.address() as AddressInfo).port, tls, () => accepted)).toBe(false);
  },
);

it('nor over HTTPS where it has accepted it itself: for HTTP Node sees to that', async () => {
  const listener = await listenerFor(true);
  const [url = ''] = await listener.listen([{ host: '127.0.0.1', port: 0, tls: true }]);
  let accepted = new Socket();
  listener.server?.prependListener('connection', (socket: Socket) => {
    accepted = socket;
  });
  expect(await waits(Number(new URL(url).port), true, () => accepted)).toBe(false);
});
