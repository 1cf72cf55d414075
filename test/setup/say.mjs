// Words for the person at the terminal. They go to stderr: stdout belongs to the program that is started.

export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Says what is wrong and ends with 1. */
export function fail(text) {
  say(text);
  process.exit(1);
}
