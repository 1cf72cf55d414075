/** A folder to serve, and one for temporary files, for each test. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { vi } from 'vitest';
import { need } from '../../fpm/support/child.ts';
import { childrenOf } from '../../fpm/support/fpm.ts';
import { type TempDir, tempDir } from '../../fpm/support/temp.ts';

// php-fpm and other processes start slowly where all cores are busy
vi.setConfig({ testTimeout: 30_000 });

export class SiteFolder {
  readonly #temp: TempDir = tempDir();
  /** Holds `site` and all else. */
  readonly parent: string = this.#temp.path;
  /** The document root, empty at first. */
  readonly path: string = join(this.parent, 'site');

  constructor() {
    need('php-fpm');
    chmodSync(this.parent, 0o755);
    for (const name of ['site', 'tmp']) mkdirSync(join(this.parent, name));
    vi.stubEnv('TMPDIR', join(this.parent, 'tmp'));
  }

  put(name: string, text: string): void {
    const file = join(this.path, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  /** What is in the folder for temporary files. */
  get filesLeft(): string[] {
    return readdirSync(join(this.parent, 'tmp'));
  }

  remove(): void {
    vi.unstubAllEnvs();
    this.#temp.remove();
  }
}

/** The php-fpm masters that are our children. */
export function masters(): number[] {
  return childrenOf(process.pid).filter((pid) =>
    readFileSync(`/proc/${pid}/comm`, 'latin1').startsWith('php-fpm'),
  );
}

export async function text(url: string, init: RequestInit = {}): Promise<string> {
  return (await fetch(url, init)).text();
}
