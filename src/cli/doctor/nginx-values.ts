/** The arguments of nginx's directives as options of ours: their names and how they are written in JavaScript. Pure. */

export type Read = (args: readonly string[]) => Readonly<Record<string, string>>;

export const nothing: Read = () => ({});

/** `60s`, `1m`, `500ms`, `60`, `1m30s`, `1h 30m`; ms. null: none of these. */
export function millisecondsOf(text: string): number | null {
  const units: Readonly<Record<string, number>> = {
    ms: 1,
    s: 1000,
    m: 60_000,
    h: 3_600_000,
    d: 86_400_000,
    w: 604_800_000,
    M: 2_592_000_000,
    y: 31_536_000_000,
    '': 1000,
  };
  if (!/^\d+(?:(?:ms|[smhdwMy]) ?\d+)*(?:ms|[smhdwMy])?$/.test(text)) return null;
  const parts = text.matchAll(/(\d+)(ms|[smhdwMy]?)/g);
  return [...parts].reduce((sum, [, digits, unit = '']) => sum + Number(digits) * (units[unit] ?? 1), 0);
}

export function time(option: string): Read {
  return ([text = '']) => {
    const value = millisecondsOf(text);
    return value === null ? {} : { [option]: String(value) };
  };
}

export function count(option: string): Read {
  return ([text = '']): Readonly<Record<string, string>> => (/^\d+$/.test(text) ? { [option]: text } : {});
}

export function size(option: string): Read {
  return ([text = '']) => {
    const [, digits, unit = ''] = /^(\d+)([kmg]?)$/i.exec(text) ?? [];
    const factor = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[unit.toLowerCase()] ?? 1;
    return digits === undefined ? {} : { [option]: String(Number(digits) * factor) };
  };
}

/** `on` or `off`: what is not our default. */
export function flag(text: 'on' | 'off', options: Readonly<Record<string, string>>): Read {
  return ([given]) => (given === text ? options : {});
}

export const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;

/** Of a server of an upstream: nginx takes 80 where none is said, for FastCGI too. */
export function withPort(address: string): string {
  return /^unix:|\$|:\d+$|^$/.test(address) ? address : `${address}:80`;
}

/** `weight=3 max_fails=2 fail_timeout=10s backup down max_conns=8 slow_start=30s`. */
export function server(args: readonly string[]): Readonly<Record<string, string>> {
  const found: Record<string, string> = { address: quoted(withPort(args[0] ?? '')) };
  const rows: Readonly<Record<string, Read>> = {
    weight: count('weight'),
    max_fails: count('maxFails'),
    fail_timeout: time('failTimeout'),
    max_conns: count('maxConns'),
    slow_start: time('slowStart'),
    backup: () => ({ backup: 'true' }),
    down: () => ({ down: 'true' }),
  };
  for (const arg of args.slice(1)) {
    const [name = '', value = ''] = arg.split('=', 2);
    Object.assign(found, rows[name]?.([value]));
  }
  return found;
}

/** What `fastcgi_next_upstream` says of requests that may have run. */
export function nextUpstream(args: readonly string[]): Readonly<Record<string, string>> {
  if (args.includes('off')) return { retry: "'never'" };
  return { retry: args.includes('non_idempotent') ? "'always'" : "'idempotent'" };
}

/** What gets all that is no file: the last of `try_files`. */
export interface LastTried {
  readonly script: string;
  /** Of nginx's making, with what is in the path, say; '' where it is the client's own. */
  readonly query: string;
}

/** What does no more than hand on what the client has sent. */
const ownQuery = /^(?:\?\$(?:args|query_string)|\$is_args\$(?:args|query_string)|\$request_uri|\?)?$/;

/** Null: it is no script. */
export function scriptIn(text: string): LastTried | null {
  const [, script, rest = ''] = /^(\/[^?$]+\.php)([?$/].*)?$/s.exec(text) ?? [];
  if (script === undefined) return null;
  return { script, query: ownQuery.test(rest) ? '' : rest };
}
