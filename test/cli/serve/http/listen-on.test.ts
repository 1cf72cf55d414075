/** What stands in the way of listening, and that nothing of anybody else's is removed. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { listenOn, tryListening } from '../../../../src/cli/serve/http/listen-on.ts';
import { tempDir } from '../../../fpm/support/temp.ts';

let folder: ReturnType<typeof tempDir>;
let server: Server;
beforeEach(() => {
  folder = tempDir('listen-');
  server = createServer();
});
afterEach(() => {
  server.close();
  folder.remove();
});

it('a file in the place of the socket stays', async () => {
  const path = join(folder.path, 'notes.txt');
  writeFileSync(path, 'dear');
  await expect(listenOn(server, { path }, null)).rejects.toThrow(
    `cannot listen on unix:${path}: another server listens there, or it is no socket`,
  );
  expect(readFileSync(path, 'utf8')).toBe('dear');
});

it('a folder in the place of the socket stays', async () => {
  const path = join(folder.path, 'folder');
  mkdirSync(path);
  await expect(listenOn(server, { path }, null)).rejects.toThrow('or it is no socket');
  expect(existsSync(path)).toBe(true);
});

it('a socket at which somebody listens stays his', async () => {
  const path = join(folder.path, 'a.sock');
  await listenOn(server, { path }, null);
  const other = createServer();
  await expect(listenOn(other, { path }, null)).rejects.toThrow('another server listens there');
  expect(existsSync(path)).toBe(true);
});

it('a folder that is missing is named', async () => {
  const path = join(folder.path, 'missing', 'a.sock');
  await expect(listenOn(server, { path }, null)).rejects.toThrow(
    `cannot listen on unix:${path}: there is no folder ${join(folder.path, 'missing')}`,
  );
});

it('to try it leaves nothing behind, takes nothing away, and says the same of what stands in the way', async () => {
  const path = join(folder.path, 'a.sock');
  await tryListening({ path });
  expect(existsSync(path)).toBe(false);
  // by the server that is to be started anew
  await listenOn(server, { path }, null);
  await tryListening({ path });
  expect(existsSync(path)).toBe(true);
  const notes = join(folder.path, 'notes.txt');
  writeFileSync(notes, 'dear');
  await expect(tryListening({ path: notes })).rejects.toThrow('or it is no socket');
  await expect(tryListening({ path: join(folder.path, 'nowhere', 'a.sock') })).rejects.toThrow(
    `there is no folder ${join(folder.path, 'nowhere')}`,
  );
});
