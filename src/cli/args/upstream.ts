/** `--upstream`: an address, and the parameters of nginx's `server` directive under nginx's names. */
import type { UpstreamServer } from '../../upstream/options.ts';
import { UsageError } from '../usage-error.ts';
import { address } from './values.ts';

export type Server = UpstreamServer & { readonly address: string };

const numbers: Readonly<Record<string, 'weight' | 'maxFails' | 'maxConns'>> = {
  weight: 'weight',
  max_fails: 'maxFails',
  max_conns: 'maxConns',
};
const times: Readonly<Record<string, 'failTimeout' | 'slowStart'>> = {
  fail_timeout: 'failTimeout',
  slow_start: 'slowStart',
};
const flags: readonly string[] = ['backup', 'down'];

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, '': 1000 };

/** `ADDRESS weight=2 max_fails=3 fail_timeout=10s max_conns=4 slow_start=30s backup down`. */
export function upstreamServer(option: string, text: string): Server {
  const [first = '', ...parameters] = text.trim().split(/\s+/);
  const server: Record<string, number | boolean> = {};
  for (const parameter of parameters) {
    const [, name = '', value = ''] = /^([a-z_]+)(?:=(.*))?$/.exec(parameter) ?? [];
    const number = numbers[name];
    const time = times[name];
    if (Object.hasOwn(server, number ?? time ?? name))
      throw new UsageError(`${option}: ${name} is given twice`);
    if (number !== undefined) server[number] = whole(option, name, value);
    else if (time !== undefined) server[time] = milliseconds(option, name, value);
    else if (flags.includes(name) && !parameter.includes('=')) server[name] = true;
    else {
      const known = [...Object.keys(numbers), ...Object.keys(times)].map((one) => `${one}=`);
      throw new UsageError(
        `${option} has no parameter '${parameter}': there are ${[...known, ...flags].join(', ')}`,
      );
    }
  }
  return { address: address(option, first), ...server };
}

function whole(option: string, name: string, text: string): number {
  const least = name === 'weight' ? 1 : 0;
  const value = /^\d{1,6}$/.test(text) ? Number(text) : -1;
  if (value >= least) return value;
  throw new UsageError(`${option}: ${name} must be a whole number from ${least}, not '${text}'`);
}

function milliseconds(option: string, name: string, text: string): number {
  const [, digits, unit = ''] = /^(\d{1,6})(ms|s|m|h)?$/.exec(text) ?? [];
  if (digits !== undefined) return Number(digits) * (units[unit] ?? 1000);
  throw new UsageError(`${option}: ${name} must be a time such as 10s, 500ms or 1m, not '${text}'`);
}
