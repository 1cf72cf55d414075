/** The parts of the README that are made from the source: tables from docstrings, examples as they are. */
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { CHANNELS } from '../../src/connection/channels.ts';
import { optionRules } from '../../src/pool/options.ts';

const root = new URL('../../', import.meta.url);

export function read(path: string): string {
  return readFileSync(new URL(path, root), 'utf8');
}

/** The README as it should be: every marked section filled in anew. */
export function filled(readme: string): string {
  const sections: Record<string, () => string> = {
    options: optionsTable,
    errors: errorsTable,
    gateway: gatewayTable,
    channels: channelsTable,
  };
  let text = readme;
  for (const [name, make] of Object.entries(sections)) {
    const section = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`);
    if (!section.test(text)) throw new Error(`the README has no section ${name}`);
    text = text.replace(section, (_, begin: string, end: string) => `${begin}\n${make()}\n${end}`);
  }
  return text.replace(
    /<!-- (examples\/[\w.-]+) -->\n(\n```js\n[\s\S]*?\n```\n)?/g,
    (_, path: string) => `<!-- ${path} -->\n\n\`\`\`js\n${read(path).trimEnd()}\n\`\`\`\n`,
  );
}

function optionsTable(): string {
  const docs = membersOf('src/pool/options.ts', 'PoolOptions');
  const rows = Object.entries(optionRules).map(([name, rule]) => {
    const unit = rule.unit === '' ? '' : ` ${rule.unit}`;
    const fallback =
      name === 'keepalive'
        ? 'connections'
        : typeof rule.default === 'string'
          ? `'${rule.default}'`
          : `${rule.default}${unit}`;
    return `| \`${name}\` | ${fallback} | ${withoutDefault(docs.get(name) ?? '')} |`;
  });
  return ['| option | default | |', '|---|---|---|', ...rows, ''].join('\n');
}

function gatewayTable(): string {
  const rows = [...membersOf('src/gateway/options.ts', 'GatewayOptions')].map(
    ([name, doc]) => `| \`${name}\` | ${doc} |`,
  );
  return ['| option | |', '|---|---|', ...rows, ''].join('\n');
}

function errorsTable(): string {
  const source = ts.createSourceFile('errors.ts', read('src/errors.ts'), ts.ScriptTarget.Latest, true);
  const rows: string[] = [];
  source.forEachChild((node) => {
    if (!ts.isTypeAliasDeclaration(node) || !node.name.text.endsWith('ErrorCode')) return;
    if (!ts.isUnionTypeNode(node.type)) return;
    const name = node.name.text.replace(/Code$/, '');
    for (const member of node.type.types) {
      if (!ts.isLiteralTypeNode(member) || !ts.isStringLiteral(member.literal)) continue;
      rows.push(`| \`${member.literal.text}\` | \`${name}\` | ${commentBefore(source, member)} |`);
    }
  });
  return ['| code | class | |', '|---|---|---|', ...rows, ''].join('\n');
}

function channelsTable(): string {
  const path = 'src/connection/channels.ts';
  const rows = Object.entries(CHANNELS).map(([name, channel]) => {
    const doc = valuesOf(path, 'CHANNELS').get(name) ?? '';
    const [, traced = '', message = '', rest = ''] = /^(TracingChannel, )?(\w+)\. (.*)$/.exec(doc) ?? [];
    const members = [...membersOf(path, message).keys(), ...inherited(path, message)];
    const fields = members.map((member) => `\`${member}\``).join(', ');
    const shown = traced === '' ? `\`${channel}\`` : `\`${channel}\` (tracing)`;
    return `| ${shown} | ${rest} | ${fields} |`;
  });
  return ['| channel | | message |', '|---|---|---|', ...rows, ''].join('\n');
}

/** Names in a constant object and their docstrings. */
function valuesOf(path: string, name: string): Map<string, string> {
  const source = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest, true);
  const values = new Map<string, string>();
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && node.name.getText(source) === name) {
      node.forEachChild(function inside(child) {
        if (ts.isPropertyAssignment(child))
          values.set(child.name.getText(source), commentBefore(source, child));
        else child.forEachChild(inside);
      });
    } else {
      node.forEachChild(visit);
    }
  };
  visit(source);
  return values;
}

/** Members of the interface that this one extends, if it does. */
function inherited(path: string, name: string): string[] {
  const base = new RegExp(`interface ${name} extends (\\w+)`).exec(read(path))?.[1];
  return base === undefined ? [] : [...membersOf(path, base).keys()];
}

/** Names of an interface's members and their docstrings, in one line each. */
function membersOf(path: string, name: string): Map<string, string> {
  const source = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest, true);
  const members = new Map<string, string>();
  source.forEachChild((node) => {
    if (!ts.isInterfaceDeclaration(node) || node.name.text !== name) return;
    for (const member of node.members) {
      if (member.name) members.set(member.name.getText(source), commentBefore(source, member));
    }
  });
  if (members.size === 0) throw new Error(`${path} has no interface ${name}`);
  return members;
}

/** The docstring that ends right before a node, the `|` of a union aside. */
function commentBefore(source: ts.SourceFile, node: ts.Node): string {
  const before = source.text.slice(0, node.getStart(source));
  const found = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/[\s|]*$/.exec(before);
  if (!found?.[1]) throw new Error(`${node.getText(source)} has no docstring`);
  return found[1]
    .replace(/^[ \t]*\*[ \t]?/gm, '')
    .replace(/\s+/g, ' ')
    .replace(/\|/g, '\\|')
    .trim();
}

/** The table has a column for it. */
function withoutDefault(doc: string): string {
  return doc.replace(/ ?Default: [^ ]+\.(?= |$)/, '');
}
