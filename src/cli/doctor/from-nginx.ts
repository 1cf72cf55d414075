/** What a configuration of nginx says, as ours. Pure. */
import { parseAddress, type Target } from '../../connection/socket/address.ts';
import { migration } from './migration.ts';
import { allOf, type Directive } from './nginx-conf.ts';
import { lastTried, type PhpPlace, placesOf, saidAt, siteName } from './nginx-place.ts';
import { type LastTried, quoted, withPort } from './nginx-values.ts';
import { withValues } from './nginx-variables.ts';

type Options = Readonly<Record<string, string>>;

export interface FromNginx {
  /** JavaScript. */
  readonly code: string;
  /** Directives that are there and have no line in it, with what to know of them. */
  readonly notes: readonly string[];
  /** `root`, where scripts are named by it as it is written. */
  readonly root: string | null;
}

/** Of an Upstream, and not of a Pool. */
const UPSTREAM_ONLY = ['balance', 'resolve', 'retryTimeout'];

/** What is said of an upstream; some of it has another meaning elsewhere: `keepalive_timeout` is that of clients there. */
const OF_UPSTREAM: ReadonlySet<string> = new Set([
  'keepalive',
  'keepalive_requests',
  'keepalive_time',
  'keepalive_timeout',
  'least_conn',
  'random',
  'hash',
  'ip_hash',
  'zone',
]);

/** Params by which php-fpm is told settings of PHP; `open_basedir` may be one of them, whose loss nobody would notice. */
const SETTINGS: ReadonlySet<string> = new Set(['PHP_VALUE', 'PHP_ADMIN_VALUE']);
const SETTINGS_NOTE =
  'not taken over; say it in the pool of php-fpm (php_value, php_admin_value), or in params with allowControlParams: true';

const triedNote = plain(migration.find(({ directive }) => directive === 'try_files')?.note ?? '');

/**
 * Of one site: what is asked at `target`, if that is there, else the first one. Others may be other applications, by another PHP,
 * and are no more than named. `follow`: gives the one name of a server that has several.
 */
export function fromNginx(
  written: readonly Directive[],
  target: Target | null = null,
  follow: (target: Target) => Target = (same) => same,
): FromNginx {
  const tree = withValues(written);
  const upstreams = new Map(allOf(tree, 'upstream').map((one) => [one.args[0] ?? '', one.inside]));
  const places = placesOf(tree);
  const asked = target && follow(target).name;
  const isAsked = (address: string): boolean => {
    const found = targetOf(address);
    return found !== null && follow(found).name === asked;
  };
  const place = chosen(places, upstreams, isAsked) ?? { pass: '', blocks: [tree], site: tree, location: '' };
  const upstream = upstreams.get(place.pass) ?? (places.length > 0 ? [] : [...upstreams.values()].flat());
  const given = serversOf(place.pass, upstream);
  const servers = given.length > 0 ? given : [{ address: 'address' }];
  const resolves = upstream.some(({ name, args }) => name === 'server' && args.slice(1).includes('resolve'));
  const options: Record<'pool' | 'gateway', Record<string, string>> = { pool: {}, gateway: {} };
  const notes: string[] = [];
  for (const { directive, to, read, ours, note } of migration) {
    if (directive === 'server' || directive === 'try_files') continue;
    // it may be there to check certificates
    if (directive === 'resolver' && !resolves && !place.pass.includes('$')) continue;
    const said = OF_UPSTREAM.has(directive) ? allOf(upstream, directive) : saidAt(place, directive);
    for (const { args } of said) {
      const found = read(args);
      if (to === 'pool' || to === 'gateway') Object.assign(options[to], found);
      const told = `${directive}: ${[ours === '-' ? '' : plain(ours), note].filter((one) => one !== '').join('; ')}`;
      if (Object.keys(found).length === 0 && directive !== 'fastcgi_pass' && !notes.includes(told))
        notes.push(told);
    }
  }
  if (resolves) options.pool['resolve'] = 'true';
  const last = lastTried(place);
  if (last) options.gateway['frontController'] = quoted(last.script);
  notes.push(...notesOn(place, given, last));
  notes.push(...otherPlaces(places, place), ...otherRoots(places, place), ...notTaken(place));
  return { code: codeOf(servers, options), notes, root: rootOf(place) };
}

function chosen(
  places: readonly PhpPlace[],
  upstreams: ReadonlyMap<string, readonly Directive[]>,
  isAsked: (address: string) => boolean,
): PhpPlace | null {
  const asked = places.filter(({ pass }) =>
    [pass, ...allOf(upstreams.get(pass) ?? [], 'server').map(({ args }) => withPort(args[0] ?? ''))].some(
      isAsked,
    ),
  );
  const fixed = places.filter(({ pass }) => !pass.includes('$'));
  const some = [asked, fixed, places].find((list) => list.length > 0) ?? [];
  // a status page, or one path that another PHP answers, may come first
  return some.find(({ location }) => location.includes('php')) ?? some[0] ?? null;
}

/** Those of the upstream, else the address itself. */
function serversOf(pass: string, upstream: readonly Directive[]): Options[] {
  const row = migration.find(({ directive }) => directive === 'server');
  const listed = upstream.filter(({ name }) => name === 'server').map(({ args }) => args);
  const isAddress = listed.length === 0 && targetOf(pass) !== null;
  const all = isAddress ? [[pass]] : listed;
  return all.filter((args) => args.length > 0).map((args) => row?.read(args) ?? {});
}

/** Null: it is no address, but a variable or the name of an upstream. */
function targetOf(address: string): Target | null {
  try {
    return address.includes('$') ? null : parseAddress(address);
  } catch {
    return null;
  }
}

function notesOn(place: PhpPlace, servers: readonly Options[], last: LastTried | null): string[] {
  const { pass, site } = place;
  const notes: string[] = [];
  if (pass.includes('$')) notes.push(`fastcgi_pass ${pass}: a variable; its addresses are for you to say`);
  else if (servers.length === 0 && pass !== '')
    notes.push(`fastcgi_pass ${pass}: its upstream is in another file; its servers are for you to say`);
  else if (servers.length === 0)
    notes.push('no fastcgi_pass with an address, and no server of an upstream, is in it');
  if (last && last.query !== '')
    notes.push(`${last.script}${last.query}: PHP gets the path and the query as the client has sent them`);
  for (const { args } of allOf(site, 'try_files')) {
    const isLost = last ? args.some((one) => /^\$uri\.\w+$/.test(one)) : !args.at(-1)?.startsWith('=');
    if (isLost) notes.push(`try_files ${args.join(' ')}: ${triedNote}`);
  }
  for (const { args } of saidAt(place, 'fastcgi_param')) {
    const [name = '', value = ''] = args;
    if (SETTINGS.has(name)) notes.push(`fastcgi_param ${name} "${value}": ${SETTINGS_NOTE}`);
  }
  return notes;
}

/** Nothing of them is about requests: where they come in, how they are written down, how blocks are named. */
const ofNoRequest =
  /^(?:listen|server|server_name|server_tokens|index|location|if|upstream|map|geo|include|set|(?:access|error)_log|log_\w+|default_type|types\w*|ssl\w*|http|http[23]\w*|events|user|pid|worker_\w+|load_module|daemon|sendfile\w*|tcp_\w+|keepalive_\w+|open_file_cache\w*|resolver\w*|fastcgi_(?:cache|temp|max_temp|busy)\w*)$/;

/** What stands in them are types, patterns and networks. */
const TABLES: ReadonlySet<string> = new Set(['types', 'map', 'geo', 'split_clients', 'charset_map']);

/** At any depth. */
function directivesIn(tree: readonly Directive[]): Directive[] {
  return tree.flatMap((one) => [one, ...(TABLES.has(one.name) ? [] : directivesIn(one.inside))]);
}

/** In the site, and around it. */
function notTaken({ site, blocks }: PhpPlace): string[] {
  const known = new Set(migration.map(({ directive }) => directive));
  const around = blocks.filter((block) => block !== site).flat();
  const names = [...directivesIn(site), ...around].map(({ name }) => name);
  const others = [...new Set(names)].filter((name) => !known.has(name) && !ofNoRequest.test(name));
  return others.length === 0 ? [] : [`not taken over: ${others.join(', ')}`];
}

function otherPlaces(places: readonly PhpPlace[], place: PhpPlace): string[] {
  const passes = new Map(places.map((one) => [one.pass, one]));
  passes.delete(place.pass);
  return [...passes.values()].map((one) => {
    const where = [siteName(one), one.location].filter((text) => text !== '').join(', location ');
    return `fastcgi_pass ${one.pass}${where === '' ? '' : ` (${where})`}: another PHP, which the code above does not ask`;
  });
}

/** Sites that the same PHP answers. That of HTTPS, which mostly has the root of the one without, is none of them. */
function otherRoots(places: readonly PhpPlace[], place: PhpPlace): string[] {
  const rootAt = (one: PhpPlace): string => saidAt(one, 'root')[0]?.args[0] ?? '';
  const others = places.filter(({ pass, site }) => pass === place.pass && site !== place.site);
  const roots = new Map(others.map((one) => [rootAt(one), one]));
  roots.delete(rootAt(place));
  return [...roots].map(([root, one]) => {
    const name = siteName(one);
    return `root ${root === '' ? 'that is not said' : root}${name === '' ? '' : ` (${name})`}: another site of the same PHP, which wants a createHandler of its own`;
  });
}

function codeOf(servers: readonly Options[], options: Readonly<Record<'pool' | 'gateway', Options>>): string {
  const [first] = servers;
  const single =
    servers.length === 1 &&
    first !== undefined &&
    Object.keys(first).length === 1 &&
    !UPSTREAM_ONLY.some((name) => name in options.pool);
  const pool = objectOf(options.pool);
  const given =
    single && first !== undefined
      ? `new Pool(${first['address']}${pool === '' ? '' : `, ${pool}`});`
      : `new Upstream([\n${servers.map((one) => `  ${inline(one)},\n`).join('')}]${pool === '' ? '' : `, ${pool}`});`;
  // The folder (and the address, above, where there is none) is not known: whoever takes the code over must say it.
  const gateway = 'root' in options.gateway ? options.gateway : { root: 'root', ...options.gateway };
  return `const fpm = ${given}\nconst php = createHandler(fpm, ${objectOf(gateway)});`;
}

function objectOf(options: Options): string {
  const lines = Object.entries(options).map(([name, value]) => `  ${name}: ${value},\n`);
  return lines.length === 0 ? '' : `{\n${lines.join('')}}`;
}

function inline(options: Options): string {
  const pairs = Object.entries(options).map(([name, value]) => `${name}: ${value}`);
  return `{ ${pairs.join(', ')} }`;
}

function rootOf(place: PhpPlace): string | null {
  const root = saidAt(place, 'root')[0]?.args[0] ?? '';
  const names = saidAt(place, 'fastcgi_param').filter(({ args }) => args[0] === 'SCRIPT_FILENAME');
  if (root === '' || root.includes('$') || !root.startsWith('/')) return null;
  return names.some(({ args }) => args[1]?.includes('$realpath_root')) ? null : root;
}

function plain(markdown: string): string {
  return markdown.replaceAll('`', '');
}
