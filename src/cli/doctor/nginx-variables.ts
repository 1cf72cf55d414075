/** Variables of nginx's configuration that are no more than a name for a text. Pure. */
import { allOf, type Directive, every } from './nginx-conf.ts';

/**
 * With the values of variables in their places: of those that a site sets once, to what no request changes. Of others it is for
 * nginx to say which value counts.
 */
export function withValues(tree: readonly Directive[]): Directive[] {
  const tables = every(tree).filter(({ name }) => /^(?:map|geo|split_clients)$/.test(name));
  const mapped = new Set(tables.map(({ args }) => args.at(-1)));
  const filled = (site: readonly Directive[]): Directive[] => {
    const values = valuesIn(site, mapped);
    return values.size === 0 ? [...site] : site.map((one) => put(one, values));
  };
  const walk = (block: readonly Directive[]): Directive[] =>
    block.map((one) => ({ ...one, inside: one.name === 'server' ? filled(one.inside) : walk(one.inside) }));
  // one site's part of a file may stand alone
  return allOf(tree, 'server').some(({ inside }) => inside.length > 0) ? walk(tree) : filled(tree);
}

function valuesIn(site: readonly Directive[], mapped: ReadonlySet<string | undefined>): Map<string, string> {
  const all = allOf(site, 'set').map(({ args }) => args[0]);
  const values = new Map<string, string>();
  // what is set further in is set under a condition
  for (const { name, args } of site) {
    const [variable = '', value = ''] = args;
    if (name !== 'set' || value.includes('$') || mapped.has(variable)) continue;
    if (all.filter((other) => other === variable).length === 1) values.set(variable, value);
  }
  return values;
}

/** A name that nginx looks up again and again: that is what the variable is for there. */
const KEPT: ReadonlySet<string> = new Set(['set', 'fastcgi_pass']);

function put(one: Directive, values: ReadonlyMap<string, string>): Directive {
  const named = (text: string): string =>
    text.replace(/\$(?:\{(\w+)\}|(\w+))/g, (all, braced?: string, bare?: string) => {
      return values.get(`$${braced ?? bare}`) ?? all;
    });
  return {
    name: one.name,
    args: KEPT.has(one.name) ? one.args : one.args.map(named),
    inside: one.inside.map((inner) => put(inner, values)),
  };
}
