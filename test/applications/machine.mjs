/** A temporary folder, and the processes that live in it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export class Machine {
  /** Where we are root, PHP, nginx and MariaDB run as this user. */
  user = process.getuid() === 0 ? 'www-data' : null;
  #children = [];

  constructor(folder) {
    this.folder = folder;
  }

  static async create() {
    const folder = await mkdtemp(join(tmpdir(), 'applications-'));
    await chmod(folder, 0o755);
    return new Machine(folder);
  }

  start(program, args, options = {}) {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options });
    this.#children.push(child);
    return child;
  }

  /** Resolves with what it wrote, when it has ended well. */
  async run(program, args, input = '') {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    // one that ends without reading it says by its status whether that is well
    child.stdin.on('error', () => {}).end(input);
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    const [status] = await once(child, 'close');
    if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}`);
    return text;
  }

  async give(path) {
    if (this.user) await this.run('chown', ['-R', this.user, path]);
  }

  async file(path) {
    for (let tries = 0; tries < 600; tries += 1) {
      if (
        await access(path).then(
          () => true,
          () => false,
        )
      )
        return;
      await pause(100);
    }
    throw new Error(`${path} did not appear`);
  }

  async stop() {
    for (const child of this.#children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
  }
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
