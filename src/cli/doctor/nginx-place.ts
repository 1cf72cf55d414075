/** Where nginx's configuration asks PHP, and what holds there: of each directive the nearest one, as nginx has it. Pure. */
import { allOf, type Directive } from './nginx-conf.ts';
import { type LastTried, scriptIn } from './nginx-values.ts';

type Block = readonly Directive[];

/** A block with a `fastcgi_pass`. */
export interface PhpPlace {
  /** What `fastcgi_pass` says. */
  readonly pass: string;
  /** That block, and those around it from the inside out. */
  readonly blocks: readonly Block[];
  /** The `server` around it; all there is where none is. */
  readonly site: Block;
  /** The arguments of the `location`; '' where there is none. */
  readonly location: string;
}

/** In the order in which they are written. */
export function placesOf(tree: Block): PhpPlace[] {
  return placesIn(tree, { blocks: [], site: tree, location: '' });
}

function placesIn(block: Block, around: Omit<PhpPlace, 'pass'>): PhpPlace[] {
  const here = { ...around, blocks: [block, ...around.blocks] };
  return block.flatMap((one) => {
    if (one.name === 'fastcgi_pass') return [{ ...here, pass: one.args[0] ?? '' }];
    return placesIn(one.inside, {
      ...here,
      site: one.name === 'server' ? one.inside : here.site,
      location: one.name === 'location' ? one.args.join(' ') : here.location,
    });
  });
}

/** All of that name in the nearest block that has one. */
export function saidAt({ blocks }: PhpPlace, name: string): Directive[] {
  for (const block of blocks) {
    const found = block.filter((one) => one.name === name);
    if (found.length > 0) return found;
  }
  return [];
}

/** `server_name`'s first; '' where it has none. */
export function siteName({ site }: PhpPlace): string {
  return site.find(({ name }) => name === 'server_name')?.args[0] ?? '';
}

/** Of the site: `location /` counts before others, as that of PHP itself is asked for scripts only. */
export function lastTried({ site, blocks }: PhpPlace): LastTried | null {
  const home = site.filter(({ name, args }) => name === 'location' && args.length === 1 && args[0] === '/');
  const inOrder = [home.flatMap(({ inside }) => inside), site, ...blocks];
  const tries = inOrder.flatMap((block) => block.filter(({ name }) => name === 'try_files'));
  const last = tries[0]?.args.at(-1) ?? '';
  return last.startsWith('@') ? named(site, last) : scriptIn(last);
}

/** A location such as `@php` that has one script for all. */
function named(site: Block, name: string): LastTried | null {
  const location = allOf(site, 'location').find(({ args }) => args[0] === name);
  for (const { name: directive, args } of location?.inside ?? []) {
    const script =
      directive === 'fastcgi_param' && args[0] === 'SCRIPT_FILENAME'
        ? (args[1] ?? '').replace(/^\$(?:document_root|realpath_root)(?=\/)/, '')
        : directive === 'rewrite'
          ? (args[1] ?? '')
          : '';
    const found = scriptIn(script);
    if (found) return found;
  }
  return null;
}
