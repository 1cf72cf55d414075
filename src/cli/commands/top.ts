/** `top`: how a pool, or a php-fpm, is doing, drawn again and again. */
import { text as textOf } from 'node:stream/consumers';
import type { StatusReport } from '../../observe/status/report.ts';
import type { TopCommand } from '../args/top.ts';
import type { Connect } from '../connect.ts';
import type { Io } from '../io.ts';
import { print } from '../output.ts';
import { reasonOf } from '../text.ts';
import { isTerminal, Screen } from '../top/screen.ts';
import { FpmView, poolLines } from '../top/views.ts';
import { statusPage } from './fpm-pages.ts';

export async function top(command: TopCommand, io: Io, connect: Connect): Promise<number> {
  const { stdout } = io;
  const look = lookerOf(command, connect);
  const title = 'url' in command.from ? command.from.url.origin : command.from.address;
  // What cannot be had at all is an error, on a terminal as well.
  const first = await look();
  if (command.once || !isTerminal(stdout, io)) {
    await print(stdout, `${first.join('\n')}\n`);
    return 0;
  }
  const screen = new Screen(stdout, io);
  try {
    let lines = first;
    for (let said = ''; ; ) {
      screen.draw([`fastcgi-pool top   ${title}   ${timeOf(new Date())}${said}`, ...lines]);
      if (await over(screen.left, command.interval)) return 0;
      said = '';
      // A php-fpm that is being restarted comes back.
      const looked = look().catch((error: unknown) => {
        said = `   ${reasonOf(error)}`;
        return lines;
      });
      // one that hangs keeps nobody here
      const found = await Promise.race([looked, screen.left.then(() => null)]);
      if (found === null) return 0;
      lines = found;
    }
  } finally {
    screen.close();
  }
}

function lookerOf(command: TopCommand, connect: Connect): () => Promise<string[]> {
  const { from, path, timeout, peer } = command;
  if ('url' in from) return async () => poolLines(await reportAt(from.url, timeout));
  const view = new FpmView();
  const request = { address: from.address, path, timeout, peer };
  return async () => {
    const { facts } = await statusPage(request, 'json&full', connect);
    return view.lines(facts, performance.now());
  };
}

async function reportAt(url: URL, timeout: number): Promise<StatusReport> {
  const { status, text } = await pageAt(url, timeout).catch((error: unknown) => {
    throw new Error(`${url.origin}: ${reasonOf(error)}`, { cause: error });
  });
  const report = reportIn(text);
  if (report !== null) return report;
  const said = status === 200 ? 'no status page' : `${status} ${text.trim().slice(0, 100)}`;
  throw new Error(`${url.origin}${url.pathname} answered with ${said}`);
}

async function pageAt(url: URL, timeout: number): Promise<{ status: number; text: string }> {
  const signal = timeout > 0 ? AbortSignal.timeout(timeout) : undefined;
  const { get } = await (url.protocol === 'https:' ? import('node:https') : import('node:http'));
  try {
    return await new Promise((resolve, reject) => {
      const options = {
        signal,
        headers: { Accept: 'application/json' },
        // the certificate that `serve --tls` makes is known to nobody, and nobody stands in between
        rejectUnauthorized: !isOnLoopback(url),
      };
      get(url, options, (response) => {
        void textOf(response).then(
          (text) => resolve({ status: response.statusCode ?? 0, text }),
          (error: unknown) => reject(error),
        );
      }).on('error', reject);
    });
  } catch (error) {
    throw signal?.aborted ? new Error(`no answer within ${timeout / 1000} s`, { cause: error }) : error;
  }
}

function isOnLoopback({ hostname }: URL): boolean {
  return /^(?:127(?:\.\d+){3}|\[::1\]|(?:.+\.)?localhost)$/.test(hostname);
}

function reportIn(text: string): StatusReport | null {
  try {
    const found: unknown = JSON.parse(text);
    const is = typeof found === 'object' && found !== null && 'servers' in found && 'connections' in found;
    return is ? (found as StatusReport) : null;
  } catch {
    return null;
  }
}

/** True: it was left before that time was over. */
async function over(left: Promise<void>, interval: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), interval);
  });
  try {
    return await Promise.race([left.then(() => true), passed]);
  } finally {
    clearTimeout(timer);
  }
}

function timeOf(date: Date): string {
  return date.toTimeString().slice(0, 8);
}
