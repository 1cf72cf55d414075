/** What the HTTP servers in front of PHP-FPM have in common: their own folder, their port, their end. */
import { chmodSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { ProgramName } from '../../setup/programs.mjs';
import { Child, need } from './child.ts';
import { freePort, tempDir } from './temp.ts';
import { waitFor } from './wait.ts';

/** What they need to know of a PHP-FPM; an Fpm is one. */
export interface Backend {
  readonly endpoint: Endpoint;
  readonly root: string;
}

/** As net.connect() takes it. */
export type Endpoint = { readonly path: string } | { readonly host: string; readonly port: number };

export interface RunningServer {
  readonly endpoint: { readonly host: string; readonly port: number };
  /** '127.0.0.1:port'. */
  readonly address: string;
  /** 'http://127.0.0.1:port', without a slash at its end. */
  readonly url: string;
  readonly pid: number;
  log(): string;
  /** Stops it with all its processes and removes its files; a second call does nothing. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ServerRecipe {
  readonly program: ProgramName;
  /** The configuration, given the server's own folder and its port. */
  readonly config: (folder: string, port: number) => string;
  readonly args: (configFile: string, folder: string) => readonly string[];
  /** The log line that says it serves; without one we connect until it answers. */
  readonly ready?: RegExp;
}

export async function startServer(recipe: ServerRecipe): Promise<RunningServer> {
  const command = need(recipe.program);
  const folder = tempDir(`${recipe.program}-`);
  // A server that gives up being root must still reach its own files.
  chmodSync(folder.path, 0o755);
  const endpoint = { host: '127.0.0.1', port: await freePort() };
  const configFile = join(folder.path, 'server.conf');
  writeFileSync(configFile, recipe.config(folder.path, endpoint.port));
  let child: Child;
  try {
    child = await Child.start({
      command,
      args: recipe.args(configFile, folder.path),
      ready:
        recipe.ready ?? (() => waitFor(() => accepts(endpoint), { what: `${recipe.program} listening` })),
      cwd: folder.path,
    });
  } catch (error) {
    folder.remove();
    throw error;
  }
  const stop = async (): Promise<void> => {
    await child.stop();
    folder.remove();
  };
  const address = `${endpoint.host}:${endpoint.port}`;
  return {
    endpoint,
    address,
    url: `http://${address}`,
    get pid() {
      return child.pid;
    },
    log: () => child.log,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Whether somebody accepts connections there. */
export function accepts(endpoint: Endpoint): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(endpoint, () => finish(true));
    const finish = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('error', () => finish(false));
  });
}
