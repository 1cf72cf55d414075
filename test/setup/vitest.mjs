// How vitest is run, whichever Node it runs on.
import { fileURLToPath } from 'node:url';

export const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));

// An example that is itself a test is one for node:test; ours runs it as what it is.
// A promise that hangs is found in half a minute; a machine that is busy is not taken for one.
export const runArguments = ['run', '--exclude', 'examples/**', '--testTimeout=30000', '--hookTimeout=30000'];
