/** `request`: one request straight to PHP-FPM, its response to stdout. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { buildParams } from '../../cgi/build-params.ts';
import type { Params } from '../../cgi/env.ts';
import type { Body, FcgiResponse } from '../../pool/dispatcher.ts';
import type { DataSource, RequestCommand } from '../args/request.ts';
import type { Connect } from '../connect.ts';
import { exchange } from '../exchange.ts';
import type { Io } from '../io.ts';
import { isReaderGone, print } from '../output.ts';
import { StderrLines } from '../stderr-lines.ts';
import { UsageError } from '../usage-error.ts';

export async function request(command: RequestCommand, io: Io, connect: Connect): Promise<number> {
  const { body, length } = await openBody(command.data, io);
  const stderr = new StderrLines(io.stderr);
  const send = {
    params: paramsOf(command, io.cwd, length),
    body,
    onStderr: (chunk: Uint8Array) => stderr.write(chunk),
  };
  try {
    return await exchange(connect, command.address, command.timeout, command.peer, send, async (response) => {
      if (command.include) await print(io.stdout, Buffer.from(headOf(response), 'latin1'));
      if (await copy(response, io.stdout)) {
        const { hint } = await response.ended;
        stderr.flush();
        // of a script that is not there PHP-FPM says "Primary script unknown", and nothing of its path
        if (hint !== '') stderr.write(Buffer.from(`${hint}\n`));
      }
      return command.fail && response.statusCode >= 400 ? 1 : 0;
    });
  } finally {
    stderr.flush();
  }
}

/** The URL that would name the script, were its folder the document root. */
function paramsOf(command: RequestCommand, cwd: string, length: number | null): Params {
  const file = resolve(cwd, command.script);
  const headers = [...command.headers];
  const has = (name: string): boolean => headers.some(([other]) => other.toLowerCase() === name);
  if (!has('host')) headers.push(['Host', 'localhost']);
  // As curl does with -d.
  if (command.data !== null && !has('content-type')) {
    headers.push(['Content-Type', 'application/x-www-form-urlencoded']);
  }
  const scriptName = `/${basename(file)}`;
  const query = command.query === '' ? '' : `?${command.query}`;
  return buildParams(
    {
      method: command.method,
      url: encodeURI(scriptName).replace(/[?#]/g, encodeURIComponent) + query,
      headers: headers.map(([name, value]) => [name, Buffer.from(value).toString('latin1')] as const),
      remote: { address: '127.0.0.1', port: 0 },
      ...(length === null ? {} : { contentLength: length }),
    },
    {
      root: dirname(file),
      frontController: scriptName,
      params: { SCRIPT_FILENAME: file, SCRIPT_NAME: scriptName, ...Object.fromEntries(command.params) },
    },
  );
}

async function openBody(data: DataSource | null, io: Io): Promise<{ body: Body; length: number | null }> {
  switch (data?.from) {
    case undefined:
      return { body: null, length: null };
    case 'text':
      return { body: data.text, length: Buffer.byteLength(data.text) };
    case 'file':
      return openFile(data.path, resolve(io.cwd, data.path));
    case 'stdin': {
      // PHP has to be told the length first, and only the end of a pipe tells it. @FILE is not held in memory.
      const chunks: Buffer[] = [];
      for await (const chunk of io.stdin) chunks.push(Buffer.from(chunk));
      const body = Buffer.concat(chunks);
      return { body, length: body.length };
    }
  }
}

async function openFile(given: string, path: string): Promise<{ body: Body; length: number }> {
  try {
    const file = await open(path);
    try {
      const info = await file.stat();
      if (info.isFile() && info.size > 0) return { body: createReadStream(path), length: info.size };
      if (!info.isDirectory()) {
        // A pipe (`@<(gzip -c dump)`) and the files of /proc do not tell how long they are, and a pipe can be opened but once.
        const body = await file.readFile();
        return { body, length: body.length };
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new UsageError(`--data @${given}: ${error instanceof Error ? error.message : error}`);
  }
  throw new UsageError(`--data @${given} is not a file`);
}

/** As PHP-FPM sends it: CGI's Status line, not HTTP's. */
function headOf(response: FcgiResponse): string {
  const lines = [`Status: ${response.statusCode} ${response.statusText}`.trimEnd()];
  for (let at = 0; at < response.rawHeaders.length; at += 2) {
    lines.push(`${response.rawHeaders[at]}: ${response.rawHeaders[at + 1]}`);
  }
  return `${lines.join('\n')}\n\n`;
}

/** Resolves when stdout has taken all of it; false: its reader has had enough. */
async function copy(response: FcgiResponse, stdout: Writable): Promise<boolean> {
  try {
    await pipeline(response.body, stdout, { end: false });
    await print(stdout, '');
    return true;
  } catch (error) {
    if (!isReaderGone(error)) throw error;
    return false;
  }
}
