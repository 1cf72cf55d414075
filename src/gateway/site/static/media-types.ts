/**
 * What a file is, by its ending. mime-types makes its tables while it is loaded, which takes longer than all of the gateway:
 * neither an import nor the first page of a PHP application is to wait for that.
 */
import { isUtf8 } from './charset.ts';

type Library = typeof import('mime-types');

export class MediaTypes {
  #library: Library | null = null;
  #failure: unknown = null;
  #loading: Promise<void> | null = null;
  /** Loaded in advance: it is needed where nothing can be loaded any more. Null: it cannot be read here. */
  readonly #again: Promise<(() => Library) | null> = import('./require-media-types.ts')
    .then((loaded) => loaded.requireMediaTypes)
    .catch(() => null);

  /** Null: they are there. It never rejects: what is wrong is thrown to those who ask for a type. */
  load(): Promise<void> | null {
    if (this.#library) return null;
    this.#loading ??= import('mime-types').then(
      (loaded) => {
        this.#library = loaded.default;
      },
      (error: unknown) => this.#require(error),
    );
    return this.#loading;
  }

  /**
   * Content-Type, with the charset of text that is UTF-8. `ending`: with its dot, or empty. `start` reads the bytes that the file
   * begins with, where it is text.
   *
   * @throws why they could not be loaded.
   */
  contentType(ending: string, start: () => Uint8Array): string {
    const type = this.#loaded().contentType(ending) || 'application/octet-stream';
    const [name = ''] = type.split(';', 1);
    return name === type || isUtf8(start(), name === 'text/html') ? type : name;
  }

  /**
   * Whether packing it makes it smaller.
   *
   * @throws why they could not be loaded.
   */
  isCompressible(name: string): boolean {
    const library = this.#loaded();
    const type = library.lookup(name);
    if (type !== false && library.charset(type) !== false) return true;
    return /(?:json|xml|javascript|wasm|\/font-|vnd\.ms-fontobject)$/.test(String(type));
  }

  /** An import that has failed once, for want of a file descriptor, say, fails for as long as the process lives. This does not. */
  async #require(error: unknown): Promise<void> {
    const again = await this.#again;
    try {
      if (again === null) throw error;
      this.#library = again();
    } catch {
      this.#failure = error;
      // what was missing may be there the next time
      this.#loading = null;
    }
  }

  #loaded(): Library {
    if (this.#library) return this.#library;
    throw this.#failure ?? new TypeError('The media types are not loaded yet');
  }
}
