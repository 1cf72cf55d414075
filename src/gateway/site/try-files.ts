/** nginx's `try_files`, as far as scripts go: what is asked for a path at which there is nothing. */
import { isRelativeName, strings, wrong } from '../checks.ts';

export interface TriedFiles {
  /** What is put behind the path to name a script: `.php` for `$uri.php`. In order. */
  readonly suffixes: readonly string[];
  /** The script that gets all the rest. */
  readonly last: string | undefined;
}

/** The arguments that nginx's users put behind the last script; PHP gets the query string in any case. */
const queryArguments = /\?\$(?:args|query_string)$|\$is_args\$args$/;

/** @throws ArgumentError FCGI_ERR_INVALID_ARG. */
export function triedFiles(
  given: unknown,
  frontController: string | undefined,
  splitPath: readonly string[],
): TriedFiles {
  if (given === undefined) return { suffixes: [], last: frontController };
  if (frontController !== undefined) {
    throw wrong(
      'tryFiles',
      'and frontController exclude each other: the last of tryFiles is the front controller',
    );
  }
  const entries = strings('tryFiles', given).map((entry) => entry.replace(queryArguments, ''));
  // what the gateway looks for anyway, and first
  const rest = entries.filter((entry) => entry !== '$uri' && entry !== '$uri/');
  const namesScript = (entry: string): boolean => splitPath.some((suffix) => entry.endsWith(suffix));
  const last = rest.at(-1)?.startsWith('/') ? rest.at(-1) : undefined;
  const suffixes = (last === undefined ? rest : rest.slice(0, -1)).map((entry) => {
    if (!/^\$uri[^$/\0]+$/.test(entry) || !namesScript(entry)) throw wrongEntry(entry, splitPath);
    return entry.slice('$uri'.length);
  });
  if (last !== undefined && (!namesScript(last) || !isRelativeName(last.slice(1)))) {
    throw wrongEntry(last, splitPath);
  }
  return { suffixes, last };
}

function wrongEntry(entry: string, splitPath: readonly string[]): Error {
  const ending = splitPath[0] ?? '';
  return wrong(
    'tryFiles',
    `holds "$uri", "$uri/", names such as "$uri${ending}" and at last a script such as "/index${ending}", not ${JSON.stringify(entry)}`,
  );
}
