/** Sizes as php.ini has them. Pure. */

const MULTIPLIERS: Readonly<Record<string, number>> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/**
 * As PHP itself reads it (`ini_parse_quantity()`): of what stands behind the number only the last letter counts. So `8MB` is 8,
 * as B is no multiplier. 0 for what begins with no number.
 */
export function quantityOf(text: string): number {
  const [, sign = '', number = '', rest = ''] = /^\s*([+-]?)(0x[\da-f]+|\d+)?(.*?)\s*$/is.exec(text) ?? [];
  const value = numberOf(number) * (MULTIPLIERS[rest.slice(-1).toLowerCase()] ?? 1);
  return sign === '-' ? -value : value;
}

/** In C's way: 0x10 is 16, and 010 is 8. */
function numberOf(digits: string): number {
  if (!/^0[0-7]+$/.test(digits)) return digits === '' ? 0 : Number(digits);
  return Number.parseInt(digits, 8);
}
