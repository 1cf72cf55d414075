/** Values as php-fpm and php.ini write them. */

const SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 };

/** `30`, `30s`, `5m`; null: none of these. */
export function secondsOf(text: string): number | null {
  const [, digits, unit = ''] = /^(\d+)([smhd]?)$/.exec(text.trim()) ?? [];
  return digits === undefined ? null : Number(digits) * (SECONDS[unit] ?? 1);
}

/** As php.ini reads it; `php_admin_value` leaves the word as it is. */
export function isOff(flag: string | null | undefined): boolean {
  return typeof flag === 'string' && /^(?:0*|off|no|false|none|null)$/i.test(flag.trim());
}
