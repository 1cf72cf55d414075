/** What a configuration of nginx says, as ours. Pure. */
import { migration } from './migration.ts';
import { allOf, type Directive } from './nginx-conf.ts';

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

export function fromNginx(tree: readonly Directive[]): FromNginx {
  const given = serversOf(tree);
  const servers = given.length > 0 ? given : [{ address: 'address' }];
  const options: Record<'pool' | 'gateway', Record<string, string>> = { pool: {}, gateway: {} };
  const notes: string[] = [];
  for (const { directive, to, read, ours, note } of migration) {
    if (directive === 'server') continue;
    for (const { args } of allOf(tree, directive)) {
      const found = read(args);
      if (to === 'pool' || to === 'gateway') Object.assign(options[to], found);
      const told = `${directive}: ${[ours === '-' ? '' : plain(ours), note].filter((one) => one !== '').join('; ')}`;
      if (Object.keys(found).length === 0 && directive !== 'fastcgi_pass' && !notes.includes(told))
        notes.push(told);
    }
  }
  if (resolves(tree)) options.pool['resolve'] = 'true';
  if (given.length === 0)
    notes.push('no fastcgi_pass with an address, and no server of an upstream, is in it');
  const variable = passesOf(tree).find((pass) => pass.includes('$'));
  if (variable !== undefined)
    notes.push(`fastcgi_pass ${variable}: a variable; its addresses are for you to say`);
  return { code: codeOf(servers, options), notes, root: rootOf(tree) };
}

/** Those of the upstream blocks that fastcgi_pass names, else its own address. */
function serversOf(tree: readonly Directive[]): Options[] {
  const row = migration.find(({ directive }) => directive === 'server');
  const named = new Map(allOf(tree, 'upstream').map((one) => [one.args[0] ?? '', one.inside]));
  const passes = passesOf(tree).filter((pass) => !pass.includes('$'));
  const found = passes.flatMap((pass) => {
    const inside = named.get(pass);
    if (inside === undefined) return [[pass]];
    return inside.filter(({ name }) => name === 'server').map(({ args }) => args);
  });
  const all = [...named.values()].flat().filter(({ name }) => name === 'server');
  const blocks = passes.length > 0 ? found : all.map(({ args }) => args);
  return blocks.filter((args) => args.length > 0).map((args) => row?.read(args) ?? {});
}

function passesOf(tree: readonly Directive[]): string[] {
  return [...new Set(allOf(tree, 'fastcgi_pass').map(({ args }) => args[0] ?? ''))];
}

function resolves(tree: readonly Directive[]): boolean {
  const servers = allOf(tree, 'upstream').flatMap(({ inside }) => allOf(inside, 'server'));
  return servers.some(({ args }) => args.slice(1).includes('resolve'));
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

function rootOf(tree: readonly Directive[]): string | null {
  const root = allOf(tree, 'root')[0]?.args[0] ?? '';
  const names = allOf(tree, 'fastcgi_param').filter(({ args }) => args[0] === 'SCRIPT_FILENAME');
  if (root === '' || root.includes('$') || !root.startsWith('/')) return null;
  return names.some(({ args }) => args[1]?.includes('$realpath_root')) ? null : root;
}

function plain(markdown: string): string {
  return markdown.replaceAll('`', '');
}
