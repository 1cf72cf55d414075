/** What the source says of itself: names and docstrings of interfaces and of error codes. */
import ts from 'typescript';

export type Read = (path: string) => string;

export interface Member {
  readonly name: string;
  /** As written. */
  readonly type: string;
  /** In one line; '' where there is none. */
  readonly doc: string;
}

export interface ErrorCode {
  readonly code: string;
  readonly className: string;
  readonly doc: string;
}

/** An interface's own members. */
export function membersOf(read: Read, path: string, name: string): Member[] {
  const source = parse(read, path);
  const members: Member[] = [];
  source.forEachChild((node) => {
    if (!ts.isInterfaceDeclaration(node) || node.name.text !== name) return;
    for (const member of node.members) {
      if (!ts.isPropertySignature(member)) continue;
      members.push({
        name: member.name.getText(source),
        type: (member.type?.getText(source) ?? '').replace(/\|/g, '\\|'),
        doc: commentBefore(source, member),
      });
    }
  });
  if (members.length === 0) throw new Error(`${path} has no interface ${name}`);
  return members;
}

export function errorCodes(read: Read): ErrorCode[] {
  const source = parse(read, 'src/errors.ts');
  const codes: ErrorCode[] = [];
  source.forEachChild((node) => {
    if (!ts.isTypeAliasDeclaration(node) || !node.name.text.endsWith('ErrorCode')) return;
    if (!ts.isUnionTypeNode(node.type)) return;
    const className = node.name.text.replace(/Code$/, '');
    for (const member of node.type.types) {
      if (!ts.isLiteralTypeNode(member) || !ts.isStringLiteral(member.literal)) continue;
      const doc = commentBefore(source, member);
      if (doc === '') throw new Error(`${member.literal.text} has no docstring`);
      codes.push({ code: member.literal.text, className, doc });
    }
  });
  return codes;
}

/** Names in a constant object and their docstrings. */
export function constantDocs(read: Read, path: string, name: string): Map<string, string> {
  const source = parse(read, path);
  const docs = new Map<string, string>();
  const inside = (node: ts.Node): void => {
    if (ts.isPropertyAssignment(node)) docs.set(node.name.getText(source), commentBefore(source, node));
    else node.forEachChild(inside);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && node.name.getText(source) === name) inside(node);
    else node.forEachChild(visit);
  };
  visit(source);
  return docs;
}

/** The interface that this one extends; null: none. */
export function extendedBy(read: Read, path: string, name: string): string | null {
  return new RegExp(`interface ${name} extends (\\w+)`).exec(read(path))?.[1] ?? null;
}

function parse(read: Read, path: string): ts.SourceFile {
  return ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest, true);
}

/** The docstring that ends right before a node, the `|` of a union aside. */
function commentBefore(source: ts.SourceFile, node: ts.Node): string {
  const before = source.text.slice(0, node.getStart(source));
  const found = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/[\s|]*$/.exec(before);
  return (found?.[1] ?? '')
    .replace(/^[ \t]*\*[ \t]?/gm, '')
    .replace(/\s+/g, ' ')
    .replace(/\|/g, '\\|')
    .trim();
}
