/** Text that comes from elsewhere (a request, PHP, a file name) on its way to a terminal or a log. */

// Control characters could move the cursor, forge a second log line or hide one; C1 controls as well.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
}

/** One line without control characters: each of them becomes `\xHH`, a tab too. */
export function printable(text: string): string {
  return text.replace(controls, escaped);
}

/** The same for text of several lines, which stay lines. */
export function printableLines(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines.map(printable);
}

/** What went wrong, in one line: the message and, where an FcgiError has one, its hint. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return printable(String(error));
  const hint = 'hint' in error && typeof error.hint === 'string' ? error.hint : '';
  const message = error.message.trim();
  return printable((hint === '' ? message : `${message} (${hint})`).replace(/\s*\r?\n\s*/g, ' '));
}
