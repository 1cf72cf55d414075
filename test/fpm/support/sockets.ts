/** What the kernel knows of connections, by way of ss. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { need } from './child.ts';
import type { Endpoint } from './http-server.ts';

/**
 * How many connections to a listening socket are established, those in its backlog included; with `pid` those
 * only whose client is that process.
 */
export async function establishedTo(endpoint: Endpoint, pid?: number): Promise<number> {
  return 'path' in endpoint ? unix(endpoint.path, pid) : tcp(`${endpoint.host}:${endpoint.port}`, pid);
}

/** How many connections wait to be accepted: Recv-Q of the listening socket. */
export async function inBacklog(endpoint: Endpoint): Promise<number> {
  const [kind, address] =
    'path' in endpoint ? ['x', endpoint.path] : ['t', `${endpoint.host}:${endpoint.port}`];
  const [row = []] = (await ss(`-Hnl${kind}`)).filter((columns) => columns.includes(address));
  return Number(row[row.indexOf('LISTEN') + 1]);
}

/** At our end of the one connection to it that `pid` has. */
export async function localPortTo(endpoint: Endpoint, pid: number): Promise<number> {
  if ('path' in endpoint) return 0;
  const rows = await ss('-Htnp', 'state', 'established', 'dst', `${endpoint.host}:${endpoint.port}`);
  const [local = ''] = rows.filter((row) => owns(row, pid)).map((row) => row[2] ?? '');
  return Number(local.slice(local.lastIndexOf(':') + 1));
}

async function tcp(address: string, pid: number | undefined): Promise<number> {
  const clients = (await ss('-Htnp', 'state', 'established', 'dst', address)).filter((row) => row.length > 3);
  return clients.filter((row) => pid === undefined || owns(row, pid)).length;
}

async function unix(path: string, pid: number | undefined): Promise<number> {
  // Columns: queues, local path and inode, peer path and inode, owner. Only the server's end has the path.
  const rows = await ss('-Hxnp', 'state', 'established');
  const servers = rows.filter((row) => row.includes(path));
  if (pid === undefined) return servers.length;
  const clientInodes = new Set(servers.map((row) => row[row.indexOf('*') + 1]));
  return rows.filter((row) => !row.includes(path) && clientInodes.has(row[4]) && owns(row, pid)).length;
}

function owns(row: readonly string[], pid: number): boolean {
  return new RegExp(`pid=${pid},`).test(row.at(-1) ?? '');
}

async function ss(...args: string[]): Promise<string[][]> {
  const { stdout } = await promisify(execFile)(need('ss'), args);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.trim().split(/\s+/));
}
