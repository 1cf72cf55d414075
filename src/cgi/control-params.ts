/**
 * Params that PHP-FPM does not hand to the script but obeys: settings of php.ini (PHP_VALUE, PHP_ADMIN_VALUE), another
 * source of the request body, and another file to run in place of the script (with `cgi.fix_pathinfo = 0`).
 */
export const controlParams: readonly string[] = [
  'PHP_VALUE',
  'PHP_ADMIN_VALUE',
  'REQUEST_BODY_FILE',
  'PATH_TRANSLATED',
];
