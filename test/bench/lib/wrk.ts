/** wrk, and what it says. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { need } from '../../fpm/support/child.ts';

export interface Load {
  /** Requests a second. */
  readonly rate: number;
  /** ms. */
  readonly p99: number;
  /** Answers that were none, or no 200. */
  readonly errors: number;
}

const run = promisify(execFile);
const units: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 };

export async function wrk(url: string, connections: number, seconds: number): Promise<Load> {
  const { stdout } = await run(need('wrk'), ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', url]);
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1] ?? 0);
  const [, value, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? [];
  const wrong = Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0);
  const broken = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout) ?? [];
  const errors = wrong + broken.slice(1).reduce((sum, one) => sum + Number(one), 0);
  return { rate, p99: Number(value) * (units[unit ?? ''] ?? Number.NaN), errors };
}
