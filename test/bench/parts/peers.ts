/** The other FastCGI clients of npm: they open a connection for each request. */
import { createRequire } from 'node:module';
import { Pool } from '../../../src/index.ts';
import { startFpm, tempDir } from '../../fpm/support/index.ts';
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

/** On a responder that never sleeps, as all CPU is measured; and on php-fpm, where everybody is woken for each answer. */
export async function peers(bundle: URL, count: number, turns: number): Promise<Row[]> {
  return [await onResponder(bundle, count, turns), await onPhp(count, turns)];
}

async function onResponder(bundle: URL, count: number, turns: number): Promise<Row> {
  const folder = tempDir();
  const server = { address: `unix:${folder.path}/responder.sock`, root: '/srv/app/public' };
  const responder = await startChild(bundle, 'responder', [pathOf(server.address)]);
  try {
    return await compare('', server, server, count, turns);
  } finally {
    await responder.stop();
    folder.remove();
  }
}

async function onPhp(count: number, turns: number): Promise<Row> {
  const files = { 'hello.php': '<?php echo "hello";' };
  const options = { transport: 'unix', maxChildren: LANES, files } as const;
  // Our kept connections hold workers: the others would wait for them.
  await using ours = await startFpm(options);
  await using theirs = await startFpm(options);
  return await compare(', on php-fpm', ours, theirs, count, turns);
}

interface Server {
  readonly address: string;
  readonly root: string;
}

/** CPU of a request by each. The peers wait for the server to close. All by callbacks, none by streams. */
async function compare(
  where: string,
  ours: Server,
  theirs: Server,
  count: number,
  turns: number,
): Promise<Row> {
  const pool = new Pool(ours.address, { connections: LANES, keepaliveRequests: 0, keepaliveTimeout: 0 });
  const costs = await inTurns(
    {
      ours: dispatching(pool, { params: typicalParams(ours.root) }, LANES),
      'fastcgi-client': await fastcgiClient(pathOf(theirs.address), typicalParams(theirs.root)),
      'node-phpfpm': nodePhpfpm(pathOf(theirs.address), theirs.root),
    },
    count,
    turns,
  );
  await pool.close();
  const best = costs['fastcgi-client'].cpu < costs['node-phpfpm'].cpu ? 'fastcgi-client' : 'node-phpfpm';
  return {
    what: `CPU of the best Node peer, times ours${where}`,
    ours: `${costs.ours.cpu.toFixed(1)} us`,
    other: `${best} ${costs[best].cpu.toFixed(1)} us`,
    ratio: costs[best].cpu / costs.ours.cpu,
    least: 8,
  };
}

function pathOf(address: string): string {
  return address.slice('unix:'.length);
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
