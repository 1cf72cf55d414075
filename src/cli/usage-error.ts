/** What was typed is wrong: one line to stderr, exit status 2. All other errors are 1. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
}
