/** Logs that are no plain files: a named pipe, which another program reads. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdirSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { LogFile } from '../../../../src/cli/serve/log/log-file.ts';
import { tempDir } from '../../../fpm/support/temp.ts';
import { within } from '../../../fpm/support/wait.ts';

const folder = tempDir();
afterAll(() => folder.remove());

const open: number[] = [];
afterEach(() => {
  for (const descriptor of open.splice(0)) closeSync(descriptor);
});

let nth = 0;
function fifo(): string {
  const path = join(folder.path, `pipe${nth++}`);
  execFileSync('mkfifo', [path]);
  return path;
}

/** As the program that reads it opens it. */
function readerOf(path: string): number {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  open.push(descriptor);
  return descriptor;
}

function read(descriptor: number, length: number): string {
  const bytes = Buffer.alloc(length);
  return bytes.toString('latin1', 0, readSync(descriptor, bytes));
}

function ended(log: LogFile): Promise<unknown> {
  return within(new Promise((resolve) => log.end(() => resolve(null))), 5000, 'the end of the log');
}

it('a pipe that nobody reads is an error at once: to wait for a reader would stop all, signals too', () => {
  expect(() => new LogFile(fifo(), () => {})).toThrow(/ENXIO|nobody/);
});

it('what reads a pipe gets the lines', async () => {
  const path = fifo();
  const reader = readerOf(path);
  const log = new LogFile(path, () => {});
  await new Promise((resolve) => log.write('a line\n', resolve));
  expect(read(reader, 100)).toBe('a line\n');
  await ended(log);
});

it('one who reads late gets all of them', async () => {
  const path = fifo();
  const reader = readerOf(path);
  const complaints: Error[] = [];
  const log = new LogFile(path, (error) => complaints.push(error));
  // more than a pipe holds
  const lines = 'x'.repeat(99).concat('\n').repeat(2000);
  const written = new Promise((resolve) => log.write(lines, resolve));
  let got = '';
  const drain = async (): Promise<void> => {
    while (got.length < lines.length) {
      try {
        got += read(reader, 65_536);
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
  };
  await within(Promise.all([written, drain()]), 5000, 'the lines');
  expect([got === lines, complaints]).toEqual([true, []]);
  await ended(log);
});

it('one who reads no more costs lines, is told of once, and does not keep serve from ending', async () => {
  const path = fifo();
  readerOf(path);
  const complaints: Error[] = [];
  const log = new LogFile(path, (error) => complaints.push(error));
  for (let i = 0; i < 5; i++) log.write(Buffer.alloc(100_000, 'x'));
  await ended(log);
  expect(complaints).toHaveLength(1);
});

it('a folder is no log', () => {
  mkdirSync(join(folder.path, 'logs'));
  expect(() => new LogFile(join(folder.path, 'logs'), () => {})).toThrow(/EISDIR/);
});
