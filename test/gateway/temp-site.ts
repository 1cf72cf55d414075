/** A document root of a test's own. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface TempSite {
  readonly root: string;
  /** Beside the root, not below it. */
  readonly outside: string;
  link(target: string, name: string): void;
  remove(): void;
}

/** `files`: name below the root (`../` leads beside it) -> content. */
export function tempSite(files: Readonly<Record<string, string>>): TempSite {
  const folder = mkdtempSync(join(tmpdir(), 'fastcgi-pool-site-'));
  const root = join(folder, 'root');
  const outside = join(folder, 'outside');
  mkdirSync(root);
  mkdirSync(outside);
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  return {
    root,
    outside,
    link: (target, name) => symlinkSync(target, join(root, name)),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
