/** nginx's configuration as a tree of directives. Pure: `include` is a directive as any other. */

export interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  /** Inside its braces; empty where it has none. */
  readonly inside: readonly Directive[];
}

/** Throws where braces do not match. */
export function parseNginx(text: string): Directive[] {
  const words = wordsOf(text);
  let at = 0;
  const block = (depth: number): Directive[] => {
    const found: Directive[] = [];
    let open: string[] = [];
    for (; at < words.length; at++) {
      const word = words[at] ?? '';
      if (word === '}') {
        if (depth === 0) throw new Error('the nginx configuration has a } too many');
        return found;
      }
      if (word === '{') {
        at++;
        found.push(directive(open, block(depth + 1)));
        if (words[at] !== '}') throw new Error('the nginx configuration lacks a }');
        open = [];
      } else if (word === ';') {
        if (open.length > 0) found.push(directive(open, []));
        open = [];
      } else open.push(word);
    }
    return found;
  };
  return block(0);
}

function directive([name = '', ...args]: readonly string[], inside: readonly Directive[]): Directive {
  return { name, args: args.map(unquoted), inside };
}

function wordsOf(text: string): string[] {
  const words =
    text.match(/#[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[{};]|(?:\$\{[^}]*\}|\\.|[^\s{};])+/gs) ?? [];
  return words.filter((word) => !word.startsWith('#'));
}

function unquoted(word: string): string {
  return /^(["']).*\1$/s.test(word) ? word.slice(1, -1) : word;
}

/** At any depth, in the order in which they are written. */
export function every(tree: readonly Directive[]): Directive[] {
  return tree.flatMap((one) => [one, ...every(one.inside)]);
}

/** All of that name, at any depth. */
export function allOf(tree: readonly Directive[], name: string): Directive[] {
  return every(tree).filter((one) => one.name === name);
}
