/** socat in front of PHP-FPM: a TCP proxy that starts a process for each connection. */
import { Child, need } from './child.ts';
import { accepts, type Backend } from './http-server.ts';
import { freePort } from './temp.ts';
import { waitFor } from './wait.ts';

/** Listens on a free port. */
export async function startSocat({
  endpoint: to,
}: Backend): Promise<{ address: string; stop(): Promise<void> }> {
  const endpoint = { host: '127.0.0.1', port: await freePort() };
  const target = 'path' in to ? `UNIX-CONNECT:${to.path}` : `TCP:${to.host}:${to.port}`;
  const child = await Child.start({
    command: need('socat'),
    args: ['-b', '70000', `TCP-LISTEN:${endpoint.port},bind=${endpoint.host},fork,reuseaddr`, target],
    ready: () => waitFor(() => accepts(endpoint), { what: 'socat listening' }),
  });
  return { address: `${endpoint.host}:${endpoint.port}`, stop: () => child.stop() };
}
