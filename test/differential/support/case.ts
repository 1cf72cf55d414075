/** What a case is, and how the bytes of a request are put together. */

/** 'app': every path that is neither file nor folder goes to /index.php; 'plain': it is 404. */
export type SiteName = 'plain' | 'app';

/** Bytes to send (each char is one byte), `until` to wait for in what has come back, or a FIN. */
export type Step = string | Buffer | { readonly until: RegExp } | 'FIN';

export interface Case {
  readonly name: string;
  /** `{etag}` stands for the server's own tag of /static/text.txt. */
  readonly send: readonly Step[];
  /** Default 'plain'. */
  readonly site?: SiteName;
  /** Where we agree with neither server: why we are right, and the statuses with which we answer. */
  readonly ours?: { readonly why: string; readonly status: readonly number[] };
}

export interface Theme {
  readonly theme: string;
  readonly cases: readonly Case[];
}

/** Of one theme. */
export interface Reason {
  readonly why: string;
  /** Of all responses to one case, in their order. */
  readonly status: readonly number[];
  /** Names of cases. */
  readonly of: readonly string[];
}

/** The theme with its reasons in their places; a reason for what is no case is an error. */
export function explain(theme: Theme, reasons: readonly Reason[]): Theme {
  const given = new Map(reasons.flatMap(({ of, ...ours }) => of.map((name) => [name, ours])));
  const cases = theme.cases.map((one) => {
    const ours = given.get(one.name);
    given.delete(one.name);
    return ours ? { ...one, ours } : one;
  });
  const [unknown] = given.keys();
  if (unknown !== undefined) throw new Error(`${theme.theme}: no case is called ${unknown}`);
  return { ...theme, cases };
}

export interface Parts {
  readonly method?: string;
  /** Default 'HTTP/1.1'. */
  readonly version?: string;
  /** Whole lines. Those for `body` are not added. */
  readonly headers?: readonly string[];
  /** Default 'example.test'; null: no Host. */
  readonly host?: string | null;
  readonly body?: string;
  /** Whether it is the last on its connection. Default true: the server closes, and shows that there is nothing more. */
  readonly last?: boolean;
}

export function request(target: string, parts: Parts = {}): string {
  const { method = 'GET', version = 'HTTP/1.1', headers = [], host = 'example.test' } = parts;
  const lines = [`${method} ${target} ${version}`];
  if (host !== null) lines.push(`Host: ${host}`);
  if (parts.last ?? true) lines.push('Connection: close');
  lines.push(...headers);
  return `${lines.join('\r\n')}\r\n\r\n${parts.body ?? ''}`;
}

/** A request with a body and its Content-Length. */
export function post(target: string, type: string, body: string, parts: Parts = {}): string {
  const headers = [`Content-Type: ${type}`, `Content-Length: ${body.length}`, ...(parts.headers ?? [])];
  return request(target, { method: 'POST', ...parts, headers, body });
}

/** One request after the other, on a connection of its own for each case. */
export function one(name: string, send: string, more: Omit<Case, 'name' | 'send'> = {}): Case {
  return { name, send: [send], ...more };
}
