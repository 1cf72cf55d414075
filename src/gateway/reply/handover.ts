/** `X-Accel-Redirect` and `X-Sendfile`: PHP has checked who asks, and leaves the file itself to the server. */
import { realpathSync, statSync } from 'node:fs';
import { parseTarget } from '../../cgi/target.ts';
import type { ProtocolError } from '../../errors.ts';
import { isInside } from '../site/is-inside.ts';
import { phpMistake } from './php-mistakes.ts';

/** What PHP says of the file, as it came; each char is one byte. */
export interface Handover {
  /** A path of the site, percent-encoded, as nginx has it. */
  readonly redirect: string | null;
  /** A path in the file system, as Apache's mod_xsendfile and lighttpd have it. */
  readonly sendfile: string | null;
}

export type HandedOver =
  | { readonly kind: 'file'; readonly path: string; readonly dev: number; readonly ino: number }
  /** The configuration does not have it. */
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'missing' };

/** A path of the site and the folder in which what is below it lies. */
export type Mapping = readonly [prefix: string, folder: string];

const forbidden: HandedOver = { kind: 'forbidden' };
const missing: HandedOver = { kind: 'missing' };

/** Why the file cannot be sent, for the log. */
export function handoverError(
  { redirect, sendfile }: Handover,
  kind: 'forbidden' | 'missing',
): ProtocolError {
  const problem = kind === 'missing' ? 'does not exist' : 'is not below a folder that the options name';
  const message = `PHP hands over ${JSON.stringify(redirect ?? sendfile)}, which ${problem}`;
  const option = redirect === null ? 'xSendfile' : 'xAccelRedirect';
  const escapes = redirect === null ? '' : 'how it is percent-encoded (a % is %25), ';
  const hint = `compare it with the option \`${option}\`, ${escapes}and links below its folders with where they lead`;
  return phpMistake(message, 'head', hint);
}

export class HandoverFiles {
  readonly #mappings: readonly Mapping[];
  readonly #folders: readonly string[];

  constructor(mappings: readonly Mapping[], folders: readonly string[]) {
    // of `/files/` and `/files/private/` the longer one is meant
    this.#mappings = [...mappings].sort(([a], [b]) => b.length - a.length);
    this.#folders = folders;
  }

  /** Null: PHP hands nothing over, or in a way that is not configured. */
  find({ redirect, sendfile }: Handover): HandedOver | null {
    if (redirect !== null && this.#mappings.length > 0) return this.#redirected(redirect);
    if (sendfile !== null && this.#folders.length > 0) return this.#sent(sendfile);
    return null;
  }

  #redirected(uri: string): HandedOver {
    const target = parseTarget(asPath(uri));
    // `/files/100%.txt`: Symfony 5 encodes nothing, and nginx answers 404, too
    if ('refused' in target) return target.refused === 'bad percent-escape' ? missing : forbidden;
    if (target.authority !== '') return forbidden;
    for (const [prefix, folder] of this.#mappings) {
      if (target.path.startsWith(prefix)) {
        const name = utf8(target.path.slice(prefix.length));
        return name === null ? missing : fileInside([folder], `${folder}/${name}`);
      }
    }
    return forbidden;
  }

  #sent(text: string): HandedOver {
    const path = utf8(text);
    if (path === null || !path.startsWith('/')) return forbidden;
    return fileInside(this.#folders, path);
  }
}

/**
 * As nginx reads it: the first slash may be encoded as well, which is how Symfony sends it; and there are no fragments, so `#` is a
 * part of a name that nobody has encoded.
 */
function asPath(uri: string): string {
  return uri.replace(/^%2f/i, '/').replaceAll('#', '%23');
}

/** Links are followed, and must end below one of the folders. */
function fileInside(folders: readonly string[], path: string): HandedOver {
  try {
    const real = realpathSync.native(path);
    const isAllowed = folders.some((folder) => isInside(real, realpathSync.native(folder)));
    if (!isAllowed) return forbidden;
    const facts = statSync(real);
    const { dev, ino } = facts;
    return facts.isFile() ? { kind: 'file', path: real, dev, ino } : missing;
  } catch {
    return missing;
  }
}

function utf8(bytes: string): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return null;
  }
}
