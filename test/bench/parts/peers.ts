/** The other FastCGI clients of npm: they open a connection for each request. */
import { createRequire } from 'node:module';
import { Pool } from '../../../src/index.ts';
import { tempDir } from '../../fpm/support/index.ts';
import { startChild } from '../lib/child.ts';
import { dispatching } from '../lib/loops.ts';
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

const LANES = 4;

const require = createRequire(new URL('../../../../package.json', import.meta.url));

/**
 * CPU of a request by each, on a responder that closes their connections, for which they wait, and keeps ours. All by
 * callbacks, none by streams.
 */
export async function peers(bundle: URL, count: number, turns: number): Promise<Row[]> {
  const folder = tempDir();
  const path = `${folder.path}/responder.sock`;
  const responder = await startChild(bundle, 'responder', [path]);
  const root = '/srv/app/public';
  const params = typicalParams(root);
  try {
    const pool = new Pool(`unix:${path}`, { connections: LANES, keepaliveRequests: 0, keepaliveTimeout: 0 });
    const costs = await inTurns(
      {
        ours: dispatching(pool, { params }, LANES),
        'fastcgi-client': await fastcgiClient(path, params),
        'node-phpfpm': nodePhpfpm(path, root),
      },
      count,
      turns,
    );
    await pool.close();
    const best = costs['fastcgi-client'].cpu < costs['node-phpfpm'].cpu ? 'fastcgi-client' : 'node-phpfpm';
    return [
      {
        what: 'CPU of the best Node peer, times ours',
        ours: `${costs.ours.cpu.toFixed(1)} us`,
        other: `${best} ${costs[best].cpu.toFixed(1)} us`,
        ratio: costs[best].cpu / costs.ours.cpu,
        least: 8,
      },
    ];
  } finally {
    await responder.stop();
    folder.remove();
  }
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
        request.stdout.on('end', () => resolve(checked(text)));
        request.stdin.end();
      });
    });
  return inLanes(one);
}

function nodePhpfpm(path: string, root: string): Work {
  const PhpFpm: new (options: object) => PhpFpm = require('node-phpfpm');
  const fpm = new PhpFpm({ sockFile: path, documentRoot: `${root}/` });
  const one = (): Promise<string> =>
    new Promise((resolve) => fpm.run({ uri: 'hello.php' }, (_error, output) => resolve(checked(output))));
  return inLanes(one);
}

/** A peer that fails is no rival. */
function checked(output: string): string {
  if (!output.endsWith('hello')) throw new Error(`a peer answers ${JSON.stringify(output)}`);
  return output;
}

/** `LANES` at a time. */
function inLanes(one: () => Promise<unknown>): Work {
  return async (count) => {
    let begun = 0;
    const lane = async (): Promise<void> => {
      while (begun < count) {
        begun++;
        await one();
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  };
}
