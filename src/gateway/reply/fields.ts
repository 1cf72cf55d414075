/** The fields of a head: name and value in turn, as node's writeHead() takes them. */

/** Those whose name, in lower case, `isKept`; in their order. */
export function fieldsWhere(fields: readonly string[], isKept: (name: string) => boolean): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? '';
    if (isKept(name.toLowerCase())) kept.push(name, fields[i + 1] ?? '');
  }
  return kept;
}
