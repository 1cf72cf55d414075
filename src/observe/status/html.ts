/** Text into HTML. All that a page shows comes from elsewhere: nothing gets into it but through here. */

/** HTML that is made of escaped text. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Piece = Html | string | number | readonly Piece[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const special: RegExp = /[&<>"'\u0000-\u0008\u000b-\u001f\u007f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** html`<td>${name}</td>`: what is put in is escaped, unless it is Html. */
export function html(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  const text = strings.map((string, nth) => {
    const piece = pieces[nth];
    return piece === undefined ? string : string + textOf(piece);
  });
  return new Html(text.join(''));
}

export function escaped(text: string): string {
  return text.replace(special, (one) => ENTITIES[one] ?? '�');
}

function textOf(piece: Piece): string {
  if (piece instanceof Html) return piece.text;
  if (typeof piece === 'string' || typeof piece === 'number') return escaped(String(piece));
  return piece.map(textOf).join('');
}
