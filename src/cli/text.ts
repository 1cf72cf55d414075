/** Text that comes from elsewhere (a request, PHP, a file name) on its way to a terminal or a log. */

// Control characters could move the cursor, forge a second log line or hide one; C1 controls as well. Those that turn the direction of
// what follows let a line read as another one.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controls = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

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

/** Two columns each: what Unicode calls wide, of East Asian scripts and emoji. */
const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
/** Half-width forms of the same scripts. */
const narrow = /[\uff61-\uffdc]/u;
/** None: they are drawn onto what stands before them. */
const combining = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** Columns. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += columnsOf(character);
  return width;
}

/** Not wider than `columns`; what is cut off is told by `…`. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let kept = '';
  let left = columns - 1;
  for (const character of text) {
    left -= columnsOf(character);
    if (left < 0) break;
    kept += character;
  }
  return `${kept}…`;
}

function columnsOf(character: string): number {
  if (character < '\u0300') return 1;
  if (combining.test(character)) return 0;
  return wide.test(character) && !narrow.test(character) ? 2 : 1;
}
