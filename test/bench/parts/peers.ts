/** The other FastCGI clients of npm: they open a connection for each request. */
import { createRequire } from 'node:module';
import { Pool } from '../../../src/index.ts';
import { requesting } from '../lib/loops.ts';
import { inTurns, type Work } from '../lib/measure.ts';
import { typicalParams } from '../lib/records.ts';
import type { Row } from '../lib/table.ts';

/** As much of fastcgi-client as is used here; it has no types of its own. */
interface PeerRequest {
  readonly stdin: { end(): void };
  readonly stdout: {
    on(event: 'data', listener: (chunk: Buffer) => void): void;
    on(event: 'end', listener: () => void): void;
  };
}
interface PeerClient {
  once(event: 'ready', listener: () => void): void;
  request(params: object, callback: (error: Error | null, request: PeerRequest) => void): void;
}
interface PhpFpm {
  run(options: object, callback: (error: unknown, output: string) => void): void;
}

const require = createRequire(new URL('../../../../package.json', import.meta.url));

/** CPU of a request by each, at one request at a time, on the responder at `path`. */
export async function peers(path: string, count: number, turns: number): Promise<Row[]> {
  const params = typicalParams('/srv/app/public');
  const pool = new Pool(`unix:${path}`, { connections: 1, keepaliveRequests: 0 });
  const costs = await inTurns(
    {
      ours: requesting(pool, { params }, 1),
      'fastcgi-client': await fastcgiClient(path, params),
      'node-phpfpm': nodePhpfpm(path),
    },
    count,
    turns,
  );
  await pool.close();
  const best = costs['fastcgi-client'].cpu < costs['node-phpfpm'].cpu ? 'fastcgi-client' : 'node-phpfpm';
  return [
    {
      what: 'CPU of the best Node peer, times ours (request())',
      ours: `${costs.ours.cpu.toFixed(1)} us`,
      other: `${best} ${costs[best].cpu.toFixed(1)} us`,
      ratio: costs[best].cpu / costs.ours.cpu,
      least: 8,
    },
  ];
}

async function fastcgiClient(path: string, params: object): Promise<Work> {
  const connector: (options: object) => PeerClient = require('fastcgi-client');
  const client = connector({ sockFile: path, skipCheckServer: true });
  await new Promise<void>((resolve) => client.once('ready', resolve));
  const one = (): Promise<string> =>
    new Promise((resolve, reject) => {
      client.request(params, (error, request) => {
        if (error) {
          reject(error);
          return;
        }
        let text = '';
        request.stdout.on('data', (chunk) => {
          text += chunk.toString();
        });
        request.stdout.on('end', () => resolve(text));
        request.stdin.end();
      });
    });
  return async (count) => {
    for (let i = 0; i < count; i++) await one();
  };
}

function nodePhpfpm(path: string): Work {
  const PhpFpm: new (options: object) => PhpFpm = require('node-phpfpm');
  const fpm = new PhpFpm({ sockFile: path, documentRoot: '/srv/app/public/' });
  const one = (): Promise<string> =>
    new Promise((resolve) => fpm.run({ uri: 'hello.php' }, (_error, output) => resolve(output)));
  return async (count) => {
    for (let i = 0; i < count; i++) await one();
  };
}
