/** A file of src as the laws see it: its layer, its imports, its syntax tree. */
import { posix } from 'node:path';
import ts from 'typescript';

export interface Import {
  readonly from: string;
  /** Of an import of names: what they are called where they come from. */
  readonly names: readonly string[];
  readonly typeOnly: boolean;
}

export interface SourceFile {
  /** Below src/, with slashes. */
  readonly path: string;
  readonly layer: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
  readonly imports: readonly Import[];
}

export function parse(path: string, text: string): SourceFile {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const imports: Import[] = [];
  for (const node of descendants(tree)) {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const named = node.importClause?.namedBindings;
      const allTypes =
        node.importClause?.name === undefined &&
        named !== undefined &&
        ts.isNamedImports(named) &&
        named.elements.every((element) => element.isTypeOnly);
      imports.push({
        from: node.moduleSpecifier.text,
        names:
          named !== undefined && ts.isNamedImports(named)
            ? named.elements.map((element) => (element.propertyName ?? element.name).text)
            : [],
        typeOnly: node.importClause?.isTypeOnly === true || allTypes,
      });
    } else if (
      ts.isExportDeclaration(node) &&
      node.moduleSpecifier &&
      ts.isStringLiteral(node.moduleSpecifier)
    ) {
      imports.push({ from: node.moduleSpecifier.text, names: [], typeOnly: node.isTypeOnly });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [target] = node.arguments;
      imports.push({
        from: target && ts.isStringLiteral(target) ? target.text : '?',
        names: [],
        typeOnly: false,
      });
    } else if (ts.isImportTypeNode(node)) {
      imports.push({ from: node.argument.getText(tree).slice(1, -1), names: [], typeOnly: true });
    }
  }
  return { path, layer: layerOf(path), text, tree, imports };
}

function* descendants(node: ts.Node): Generator<ts.Node> {
  yield node;
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => {
    children.push(child);
  });
  for (const child of children) yield* descendants(child);
}

export function layerOf(path: string): string {
  const [first = ''] = path.split('/');
  return first.replace(/\.ts$/, '');
}

/** The file below src/ that a relative import names; undefined for a package. */
export function target(file: SourceFile, { from }: Import): string | undefined {
  return from.startsWith('.') ? posix.join(posix.dirname(file.path), from) : undefined;
}

/** A global or imported name used as a value, and not the name of a property. */
export function uses(file: SourceFile, name: string): boolean {
  for (const node of descendants(file.tree)) {
    if (!ts.isIdentifier(node) || node.text !== name) continue;
    const { parent } = node;
    const isMember =
      (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
      ((ts.isPropertyAssignment(parent) ||
        ts.isPropertySignature(parent) ||
        ts.isMethodDeclaration(parent)) &&
        parent.name === node);
    if (!isMember) return true;
  }
  return false;
}
