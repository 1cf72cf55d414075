/** Settings of php.ini as PHP-FPM's `-d` takes them. */
import { MOST_READ_BEFORE_SCRIPT } from '../../connection/evidence/read-before-script.ts';
import type { Pair } from '../args/values.ts';
import { quantityOf } from '../php/quantity.ts';
import { UsageError } from '../usage-error.ts';

/** Words and constants that PHP evaluates: On, and E_ALL & ~E_NOTICE. */
const evaluated =
  /^(?:on|off|yes|no|true|false|none|null|-?[\d.]+[kmg]?|[~!(\s]*E_[A-Z_]+[\s)]*(?:[&|^][~!(\s]*E_[A-Z_]+[\s)]*)*)?$/i;

/**
 * `NAME='VALUE'`: without quotes a `;` would begin a comment, and `&`, `|` or `!` be operators.
 *
 * @throws UsageError where no quotes can hold the value.
 */
export function iniArgument([name, value]: Pair): string {
  if (evaluated.test(value)) return `${name}=${value}`;
  if (!value.includes("'")) return `${name}='${value}'`;
  // in double quotes ${NAME} stands for a variable, and nothing can keep it from that
  if (value.includes('${')) throw new UsageError(`--ini ${name} cannot hold both ' and \${`);
  return `${name}="${value.replace(/["\\]/g, '\\$&')}"`;
}

/** What these settings say of PoolOptions.postDataReading: bytes; null: nothing, as that is not all that PHP goes by. */
export function postDataReadingBy(settings: readonly Pair[]): number | null {
  const latest = new Map(settings);
  const reading = latest.get('enable_post_data_reading');
  if (reading !== undefined && !/^(?:1|on|yes|true)$/i.test(reading.trim())) return 0;
  const size = quantityOf(latest.get('post_max_size') ?? '');
  return size > 0 && size < MOST_READ_BEFORE_SCRIPT ? size : null;
}
