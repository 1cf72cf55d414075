/** `ping` and `status`: the pages that PHP-FPM answers by itself, found by SCRIPT_NAME, whatever the file. */

import type { PingCommand, StatusCommand } from '../args/fpm-pages.ts';
import type { Peer } from '../args/peer.ts';
import type { Connect } from '../connect.ts';
import { exchange } from '../exchange.ts';
import type { Io } from '../io.ts';
import { print } from '../output.ts';
import { statusTable } from '../status-table.ts';
import { printable, printableLines } from '../text.ts';

export async function ping(command: PingCommand, io: Io, connect: Connect): Promise<number> {
  const text = await page(command, '', 'ping.path', connect);
  await print(io.stdout, `${printableLines(text).join('\n')}\n`);
  return 0;
}

export async function status(command: StatusCommand, io: Io, connect: Connect): Promise<number> {
  const { text, facts } = await statusPage(command, command.full ? 'json&full' : 'json', connect);
  await print(io.stdout, command.json ? `${text.trim()}\n` : statusTable(facts));
  return 0;
}

/** The status page as it comes, and what it says; `query` asks for JSON. */
export async function statusPage(
  request: PageRequest,
  query: string,
  connect: Connect,
): Promise<{ readonly text: string; readonly facts: Readonly<Record<string, unknown>> }> {
  const text = await page(request, query, 'pm.status_path', connect);
  const facts = parseObject(text);
  if (facts !== null) return { text, facts };
  throw new Error(`${request.path} at ${request.address} is not PHP-FPM's status page, but a page of PHP`);
}

interface PageRequest {
  readonly address: string;
  readonly path: string;
  readonly timeout: number;
  readonly peer: Peer;
}

/** The text of the page; throws where the pool has none, naming the `setting` that would make it. */
function page(command: PageRequest, query: string, setting: string, connect: Connect): Promise<string> {
  const { address, path, timeout, peer } = command;
  const params = {
    SCRIPT_FILENAME: path,
    SCRIPT_NAME: path,
    REQUEST_METHOD: 'GET',
    REQUEST_URI: query === '' ? path : `${path}?${query}`,
    QUERY_STRING: query,
    SERVER_PROTOCOL: 'HTTP/1.1',
    GATEWAY_INTERFACE: 'CGI/1.1',
  };
  return exchange(connect, address, timeout, peer, { params }, async (response) => {
    const text = await response.body.text();
    if (response.statusCode === 200) return text;
    const answer = printable(text.trim().slice(0, 100));
    const end = answer === '' ? '' : `: ${answer}`;
    throw new Error(
      `${address} answered ${path} with ${response.statusCode}${end} (does its pool have ${setting} = ${path}?)`,
    );
  });
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
