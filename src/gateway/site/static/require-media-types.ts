/** A file of its own, as it says `import.meta`: what makes CommonJS of the library, Babel for Jest, say, cannot read a file with that. */
import nodeModule from 'node:module';

/** @throws why it cannot be loaded. */
export function requireMediaTypes(): typeof import('mime-types') {
  // Not by its own name, which the line that bundlers are given for CommonJS in ES modules declares as well.
  return nodeModule.createRequire(import.meta.url)('mime-types');
}
