/** A message of PHP for the terminal: its level, where it comes from as editors take it (file:line), and the request. */
import { styleText } from 'node:util';
import type { PhpLevel, PhpMessage } from '../../../cgi/php-message.ts';

const names: Readonly<Record<PhpLevel, string>> = {
  fatal: 'PHP fatal error',
  parse: 'PHP parse error',
  recoverable: 'PHP recoverable error',
  warning: 'PHP warning',
  notice: 'PHP notice',
  deprecated: 'PHP deprecated',
  strict: 'PHP strict standards',
  log: 'PHP',
};

type Style = Parameters<typeof styleText>[0];

const styles: Readonly<Record<PhpLevel, Style>> = {
  fatal: ['bold', 'red'],
  parse: ['bold', 'red'],
  recoverable: ['bold', 'red'],
  warning: 'yellow',
  notice: 'cyan',
  deprecated: 'cyan',
  strict: 'cyan',
  log: 'bold',
};

/** Lines, each with its end. `request`: `GET /a.php`, or '' where it is not known. */
export function phpText(message: PhpMessage, request: string, hasColors: boolean): string {
  const paint = (style: Style, text: string): string =>
    hasColors ? styleText(style, text, { validateStream: false }) : text;
  const { level, file, line, trace } = message;
  const place = file === '' ? '' : ` at ${paint('underline', `${file}:${line}`)}`;
  const by = request === '' ? '' : paint('dim', ` (${request})`);
  const head = `${paint(styles[level], `${names[level]}:`)} ${message.message}${place}${by}`;
  return [head, ...trace.map((one) => paint('dim', `    ${one}`))].map((one) => `${one}\n`).join('');
}
