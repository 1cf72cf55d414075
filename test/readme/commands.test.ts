/**
 * Every shell command of the README and of docs/ is run, the set-up commands aside, which the test run itself has gone
 * through, and those that take minutes.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fpm, startFpm } from '../fpm/support/index.ts';
import { documents, read } from './sections.ts';

const bin = new URL('../../dist/cli/bin.js', import.meta.url).pathname;
const run = promisify(execFile);

const text = documents.map(read).join('\n');
const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap((block) =>
  (block[1] ?? '').trim().split('\n'),
);
const inTables = [...text.matchAll(/\| `(npx [^`]+)` \|/g)].map((cell) => cell[1] ?? '');
const commands = [...new Set([...blocks, ...inTables])];
const ours = commands.filter((command) => command.startsWith('npx fastcgi-pool '));

let fpm: Fpm;
let folder: string;

beforeAll(async () => {
  fpm = await startFpm({ transport: 'unix', statusPath: '/status', pingPath: '/ping' });
  folder = mkdtempSync(join(tmpdir(), 'fastcgi-pool-readme-'));
  for (const site of ['public', 'wordpress']) {
    mkdirSync(join(folder, site));
    writeFileSync(
      join(folder, site, 'index.php'),
      '<?php echo "It works at ", $_SERVER["REQUEST_URI"] ?? "-";',
    );
  }
});

afterAll(async () => {
  await fpm?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The command as it runs here: this build of the program, this php-fpm, this folder. */
function here(command: string): string[] {
  return command
    .replaceAll(/unix:\/run\/php\/php-fpm\.sock|fpm:9000/g, fpm.address)
    .replaceAll(/\/srv\/app\/|\/var\/www\/html\//g, `${folder}/`)
    .split(' ')
    .slice(2);
}

describe('the README and docs/', () => {
  it('names the commands that set everything up, and those that are too long for a test', () => {
    expect(commands.filter((command) => !ours.includes(command)).sort()).toEqual([
      `echo '<?php echo "PHP says hello\\n";' > site/index.php`,
      'mkdir site',
      'npm install fastcgi-pool express',
      'npm run bench',
      'npm run bench -- --only hosts,failover,rolling',
      'npm run demo',
      'npm run storm -- --rivals --quick --seconds 2 --only unix',
      'npm test',
    ]);
  });

  const single = ours.filter((command) => !command.includes(' serve '));
  it.each(single)('does what it says: %s', async (command) => {
    const { stdout } = await run(process.execPath, [bin, ...here(command)], { cwd: folder });
    if (command.includes(' request ')) expect(stdout).toContain('It works at');
    if (command.includes(' ping ')) expect(stdout).toContain('pong');
    if (command.includes(' status ')) expect(stdout).toMatch(/active processes/i);
    if (command.includes(' opcache ')) expect(stdout).toContain('emptied');
  });

  const serving = ours.filter((command) => command.includes(' serve '));
  it.each(serving)('does what it says: %s', async (command) => {
    const child = spawn(process.execPath, [bin, ...here(command), '--listen', '127.0.0.1:0'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
      const url = String(line).trim();
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      expect(await (await fetch(`${url}/?a=1`)).text()).toBe('It works at /?a=1');
      if (command.includes('--front-controller'))
        expect(await (await fetch(`${url}/a/page`)).text()).toBe('It works at /a/page');
    } finally {
      child.kill('SIGTERM');
      const [code] = await once(child, 'exit');
      expect(code).toBe(0);
    }
  });

  it('has a row for each command', () => {
    expect(single.length).toBe(4);
    expect(serving.length).toBe(5);
  });
});
