/**
 * What FastCGI servers do with what the pool sends: measured on the wire, without the pool. ../needs.test.ts holds the
 * servers against it, and docs/servers.md shows it.
 */
import { GET_VALUES, GET_VALUES_RESULT, pair, record, request, STDIN, Wire } from '../../fpm/support/wire.ts';
import { PROCESSES, type Running, type ServerName } from './servers.ts';
import { paramsOf, type What } from './task.ts';

export interface Needs {
  /** With FCGI_KEEP_CONN, does a connection take a second request? */
  readonly keeps: boolean;
  /** And behind the empty STDIN of the first one, if that comes only then? Null: it keeps none. */
  readonly takesLateEnd: boolean | null;
  /** Must a request without a body be ended by an empty STDIN record before it is answered? And one with a body? */
  readonly needsEnd: boolean;
  readonly needsEndOfBody: boolean;
  /** Does the program begin before the body has been sent? */
  readonly beginsEarly: boolean;
  /** To FCGI_GET_VALUES: the values; 'nothing': it waits for more, or ends the connection sooner or later. */
  readonly values: string;
}

export const NEEDS: Readonly<Record<ServerName, Needs>> = {
  'C libfcgi': {
    keeps: true,
    takesLateEnd: false,
    needsEnd: false,
    needsEndOfBody: true,
    beginsEarly: true,
    values: 'nothing',
  },
  'Perl FCGI': {
    keeps: true,
    takesLateEnd: false,
    needsEnd: false,
    needsEndOfBody: true,
    beginsEarly: true,
    values: 'nothing',
  },
  'CGI::Fast': {
    keeps: true,
    takesLateEnd: false,
    needsEnd: false,
    needsEndOfBody: false,
    beginsEarly: false,
    values: 'nothing',
  },
  Plack: {
    keeps: true,
    takesLateEnd: false,
    needsEnd: false,
    needsEndOfBody: true,
    beginsEarly: true,
    values: 'nothing',
  },
  Mojolicious: {
    keeps: false,
    takesLateEnd: null,
    needsEnd: true,
    needsEndOfBody: true,
    beginsEarly: false,
    values: 'nothing',
  },
  'Ruby fcgi': {
    keeps: false,
    takesLateEnd: null,
    needsEnd: true,
    needsEndOfBody: true,
    beginsEarly: false,
    values: 'nothing',
  },
  Go: {
    keeps: true,
    takesLateEnd: false,
    needsEnd: true,
    needsEndOfBody: true,
    beginsEarly: true,
    values: 'FCGI_MPXS_CONNS=1',
  },
  'uWSGI (Python)': {
    keeps: false,
    takesLateEnd: null,
    needsEnd: true,
    needsEndOfBody: true,
    beginsEarly: true,
    values: 'nothing',
  },
  fcgiwrap: {
    keeps: true,
    takesLateEnd: false,
    needsEnd: true,
    needsEndOfBody: true,
    beginsEarly: true,
    values: 'nothing',
  },
  'php-cgi': {
    keeps: true,
    takesLateEnd: true,
    needsEnd: false,
    needsEndOfBody: false,
    beginsEarly: false,
    values: 'FCGI_MAX_CONNS=8, FCGI_MAX_REQS=8, FCGI_MPXS_CONNS=0',
  },
};

/** ms. To answer takes a few; a busy machine takes its time. */
const SILENCE = 1_200;

const NAMES = ['FCGI_MAX_CONNS', 'FCGI_MAX_REQS', 'FCGI_MPXS_CONNS'];

export async function measure(server: Running): Promise<Needs> {
  await Promise.all(Array.from({ length: PROCESSES }, () => second(server, true)));
  const [keeps, late, needsEnd, needsEndOfBody, values] = await Promise.all([
    second(server, true),
    second(server, false),
    waits(server, 'hello', ''),
    waits(server, 'echo', 'a body'),
    says(server),
  ]);
  const beginsEarly = await begins(server);
  return { keeps, takesLateEnd: keeps ? late : null, needsEnd, needsEndOfBody, beginsEarly, values };
}

function asked(server: Running, what: What, body: string, terminator: boolean): Buffer {
  const params = { ...paramsOf(server, what, 'needs', body.length), CONTENT_LENGTH: String(body.length) };
  return request({ params, body, terminator });
}

/** Is a second request answered? `early`: the first is ended at once, and not behind its answer. */
async function second(server: Running, early: boolean): Promise<boolean> {
  using wire = await Wire.connect(server.endpoint);
  wire.send(asked(server, 'hello', '', early));
  const first = await within(wire.answer());
  if (first === null) return false;
  if (!early) wire.send(record(STDIN));
  wire.send(asked(server, 'hello', '', true));
  return (await within(wire.answer())) !== null;
}

async function waits(server: Running, what: What, body: string): Promise<boolean> {
  using wire = await Wire.connect(server.endpoint);
  wire.send(asked(server, what, body, false));
  const answer = wire.answer();
  if ((await within(answer)) !== null) return false;
  wire.send(record(STDIN));
  await answer;
  return true;
}

/** The program kills its process: that is seen at once, and nothing else of it would be. */
async function begins(server: Running): Promise<boolean> {
  using wire = await Wire.connect(server.endpoint);
  const params = { ...paramsOf(server, 'die', 'needs', 1_000), CONTENT_LENGTH: '1000' };
  wire.send(request({ params, body: 'half of it '.repeat(40), terminator: false }));
  return (await within(wire.over())) !== null;
}

async function says(server: Running): Promise<string> {
  using wire = await Wire.connect(server.endpoint);
  wire.send(record(GET_VALUES, Buffer.concat(NAMES.map((name) => pair(name, ''))), 0, 0));
  const answer = wire.next(GET_VALUES_RESULT).then(({ content }) => valuesIn(content));
  // It may be given up.
  answer.catch(() => {});
  return (await within(answer)) ?? 'nothing';
}

/** All names and values are short here. */
function valuesIn(content: Buffer): string {
  const said: string[] = [];
  for (let at = 0; at < content.length; ) {
    const name = at + 2 + (content[at] ?? 0);
    const value = name + (content[at + 1] ?? 0);
    said.push(`${content.subarray(at + 2, name)}=${content.subarray(name, value)}`);
    at = value;
  }
  return said.sort().join(', ');
}

/** Null: nothing, or it failed. */
async function within<T>(promise: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), SILENCE);
  });
  try {
    return await Promise.race([promise, late]);
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}
