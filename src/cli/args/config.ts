/**
 * `--config FILE`: the options of `serve` by their names in camelCase, and `sites`, each with options of its own. It is
 * turned into what could have been typed, so that there is one place that knows what an option may be.
 */
import { parseArgs } from 'node:util';
import { UsageError } from '../usage-error.ts';
import { nearest } from './nearest.ts';
import { isNoFile, parseServe, type ServeCommand, serverOptions } from './serve.ts';
import { siteOptions } from './site.ts';

type Spec = { readonly type: 'string' | 'boolean'; readonly multiple?: boolean };
const ofServer: Readonly<Record<string, Spec>> = serverOptions;
const ofSite: Readonly<Record<string, Spec>> = siteOptions;

/** Relative ones are meant from the folder of the file. */
const paths: readonly string[] = ['allow-symlinks-to', 'fpm', 'access-log', 'tls-cert', 'tls-key'];

/** By an option that is typed: what the file may have that does not go with it, and so gives way. */
const replaced: ReadonlyMap<string, readonly string[]> = new Map([
  ['quiet', ['access-log']],
  ['access-log', ['quiet']],
  ['tls', ['tls-cert', 'tls-key']],
  ['tls-cert', ['tls']],
  ['tls-key', ['tls']],
  ['fpm', ['php']],
  ['php', ['fpm']],
]);

type Settings = Readonly<Record<string, unknown>>;
/** By option: what would have been typed. */
type Typed = ReadonlyMap<string, readonly string[]>;

export interface ConfigFile {
  /** For messages. */
  readonly name: string;
  readonly content: unknown;
  /** Makes a path absolute. */
  readonly resolve: (path: string) => string;
}

/** The command with what the file says; what was typed wins. Throws a UsageError that names the file and the key. */
export function withConfig(command: ServeCommand, file: ConfigFile): ServeCommand {
  const typed = typedOptions(command.args);
  if (!isObject(file.content)) throw wrong(file, 'it must hold an object');
  const { sites, docroot: _, ...shared } = file.content;
  const top = optionsIn(file, '', shared, { ...ofServer, ...ofSite });
  const shared1 = { docroot: docrootIn(file, '', file.content), options: top };
  const whole = parsed(file, '', [shared1], typed, []);
  if (sites === undefined) return { ...whole, config: null };
  if (!Array.isArray(sites) || sites.length === 0) throw wrong(file, 'sites must be a list of objects');
  if (typed.docroot !== null) throw wrong(file, 'it has sites: DOCROOT does not go with it');
  const seen = new Set<string>();
  const siteOnly = new Map([...top].filter(([name]) => ofSite[name] !== undefined));
  const [first, ...others] = sites.map((site: unknown, nth) => {
    const where = `sites[${nth}]`;
    if (!isObject(site)) throw wrong(file, `${where} must be an object`);
    const { hosts, docroot: _, ...rest } = site;
    const own = optionsIn(file, where, rest, ofSite);
    const layers = [
      { docroot: shared1.docroot, options: siteOnly },
      { docroot: docrootIn(file, where, site), options: own },
    ];
    return parsed(file, where, layers, typed, hostsIn(file, where, hosts, seen)).sites[0];
  });
  return first === undefined ? whole : { ...whole, config: null, sites: [first, ...others] };
}

interface Layer {
  readonly docroot: string | null;
  readonly options: Typed;
}

/** The later layer wins, and what was typed over all. */
function parsed(
  file: ConfigFile,
  where: string,
  layers: readonly Layer[],
  typed: Layer,
  hosts: readonly string[],
): ServeCommand {
  const options = new Map<string, readonly string[]>();
  let docroot = '.';
  for (const layer of [...layers, typed]) {
    for (const [name, words] of layer.options) {
      if (layer === typed) for (const other of replaced.get(name) ?? []) options.delete(other);
      options.set(name, words);
    }
    docroot = layer.docroot ?? docroot;
  }
  try {
    return parseServe([...[...options.values()].flat(), '--', docroot], hosts);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw wrong(
      file,
      `${where === '' ? '' : `${where}: `}${error.message.replace(/--([a-z-]+)/g, (_, name: string) => inCamelCase(name))}`,
    );
  }
}

function optionsIn(
  file: ConfigFile,
  where: string,
  settings: Settings,
  specs: Readonly<Record<string, Spec>>,
): Typed {
  const found = new Map<string, readonly string[]>();
  for (const [key, value] of Object.entries(settings)) {
    const name = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const spec =
      /[-A-Z]{2}|^-/.test(key) || key.includes('-') || !Object.hasOwn(specs, name) ? undefined : specs[name];
    const at = where === '' ? key : `${where}.${key}`;
    if (spec === undefined) {
      throw wrong(file, `there is no option ${at}${advice(key, name, specs)}`);
    }
    found.set(name, wordsFor(file, at, name, spec, value));
  }
  return found;
}

function advice(key: string, name: string, specs: Readonly<Record<string, Spec>>): string {
  const bare = (text: string): string => text.toLowerCase().replace(/[-_]/g, '');
  const meant = Object.keys(specs).find((one) => bare(one) === bare(key));
  if (meant !== undefined) return `: it is called ${inCamelCase(meant)} here`;
  if (Object.hasOwn(ofServer, name)) return ': it is for the whole server';
  const likely = nearest(key, Object.keys(specs).map(inCamelCase));
  return likely === null ? '' : `: is ${likely} meant?`;
}

function wordsFor(file: ConfigFile, at: string, name: string, spec: Spec, value: unknown): string[] {
  if (spec.type === 'boolean') {
    if (typeof value !== 'boolean') throw wrong(file, `${at} must be true or false`);
    return value ? [`--${name}`] : [];
  }
  const text = (one: unknown, where = at): string => {
    if (typeof one === 'string' || typeof one === 'number') return String(one);
    const list = spec.multiple && where === at ? ', or a list of them' : '';
    throw wrong(file, `${where} must be a string or a number${list}`);
  };
  const word = (one: unknown): string => {
    const value = text(one);
    // a php-fpm may be a name that is looked for in PATH
    const isName = (name === 'fpm' && !value.includes('/')) || (name === 'access-log' && isNoFile(value));
    const isPath = paths.includes(name) && !isName;
    return `--${name}=${isPath ? file.resolve(value) : value}`;
  };
  if (spec.multiple && Array.isArray(value)) return value.map(word);
  // { "ini": { "memory_limit": "1G" } }
  if ((name === 'param' || name === 'ini') && isObject(value)) {
    return Object.entries(value).map(([key, one]) => `--${name}=${key}=${text(one, `${at}.${key}`)}`);
  }
  return [word(value)];
}

function docrootIn(file: ConfigFile, where: string, { docroot }: Settings): string | null {
  if (docroot === undefined) return null;
  if (typeof docroot === 'string') return file.resolve(docroot);
  throw wrong(file, `${where === '' ? '' : `${where}.`}docroot must be a string`);
}

const hostName =
  /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?)*$|^\[[0-9a-f:.]+\]$/;

function hostsIn(file: ConfigFile, where: string, hosts: unknown, seen: Set<string>): string[] {
  const names = typeof hosts === 'string' ? [hosts] : hosts;
  if (!Array.isArray(names) || names.length === 0) {
    throw wrong(file, `${where}.hosts must be a list of host names`);
  }
  return names.map((one: unknown) => {
    const name = typeof one === 'string' ? one.toLowerCase() : '';
    if (!hostName.test(name)) {
      throw wrong(
        file,
        `${where}.hosts: '${String(one)}' is no host name, such as example.org or *.example.org`,
      );
    }
    if (seen.has(name)) throw wrong(file, `${where}.hosts: ${name} is there twice`);
    seen.add(name);
    return name;
  });
}

/** What was typed, option by option. */
function typedOptions(args: readonly string[]): Layer {
  const specs = { ...ofServer, ...ofSite, config: { type: 'string' } } as const;
  const { tokens, positionals } = parseArgs({
    args: [...args],
    options: specs,
    allowPositionals: true,
    tokens: true,
  });
  const options = new Map<string, readonly string[]>();
  for (const token of tokens) {
    if (token.kind !== 'option' || token.name === 'config') continue;
    const word = token.value === undefined ? `--${token.name}` : `--${token.name}=${token.value}`;
    options.set(token.name, [...(options.get(token.name) ?? []), word]);
  }
  return { docroot: positionals[0] ?? null, options };
}

function inCamelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

function wrong({ name }: ConfigFile, what: string): UsageError {
  return new UsageError(`${name}: ${what}`);
}

function isObject(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
