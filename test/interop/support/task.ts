/**
 * What the programs of ../programs do: QUERY_STRING is `WHAT-ID`. Each notes its ID in RUNS_LOG before anything else.
 * - `hello`: answers with the ID, and does not look at the body.
 * - `echo`: answers with the body.
 * - `die`: its process is killed at once.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { DispatchRequest } from '../../../src/pool/dispatcher.ts';
import type { Running } from './servers.ts';

export type What = 'hello' | 'echo' | 'die';

export function paramsOf(server: Running, what: What, id: string, length: number): Record<string, string> {
  return {
    REQUEST_METHOD: length === 0 ? 'GET' : 'POST',
    QUERY_STRING: `${what}-${id}`,
    REQUEST_URI: `/?${what}-${id}`,
    SCRIPT_NAME: '',
    PATH_INFO: '/',
    SCRIPT_FILENAME: server.script,
    SERVER_PROTOCOL: 'HTTP/1.1',
    SERVER_NAME: 'localhost',
    SERVER_PORT: '80',
    HTTP_HOST: 'localhost',
    GATEWAY_INTERFACE: 'CGI/1.1',
    RUNS_LOG: server.log,
    ...(length === 0 ? {} : { CONTENT_TYPE: 'application/octet-stream' }),
  };
}

export function task(server: Running, what: What, id: string, body: Buffer | null = null): DispatchRequest {
  return { params: paramsOf(server, what, id, body?.length ?? 0), body };
}

/** How often this one ran. */
export function runs(server: Running, id: string): number {
  if (!existsSync(server.log)) return 0;
  return readFileSync(server.log, 'utf8')
    .split('\n')
    .filter((line) => line === id).length;
}
