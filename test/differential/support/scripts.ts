/** What PHP runs. Every source holds SECRET, which no answer may show. */

/** In PHP's sources and in files that are nobody's business. */
export const SECRET = 'NOT-FOR-CLIENTS';

/** Prints all that it was told; bytes that are not plain ASCII as octal escapes, so that JSON can carry them. */
const probe = `
$plain = function ($value) use (&$plain) {
  if (!is_array($value)) return is_string($value) ? addcslashes($value, "\\0..\\37\\177..\\377\\\\") : $value;
  $out = [];
  foreach ($value as $name => $inner) $out[$plain($name)] = $plain($inner);
  return $out;
};
$files = [];
array_walk_recursive($_FILES, function ($value, $key) use (&$files) {
  if ($key === 'tmp_name' || is_file((string) $value)) $value = is_file((string) $value) ? md5_file($value) : '';
  $files[] = $value;
});
$input = file_get_contents('php://input');
header('Content-Type: application/json');
header('X-Probe: 1');
echo json_encode($plain([
  'script' => basename(__FILE__), 'server' => $_SERVER, 'get' => $_GET, 'post' => $_POST, 'files' => $files,
  'cookie' => $_COOKIE, 'input' => [strlen($input), md5($input)],
]));`;

/** Name below the root -> source. */
export const scripts: Readonly<Record<string, string>> = {
  'index.php': probe,
  'probe.php': probe,
  'Upper.PHP': probe,
  'sub/index.php': probe,
  'sub/probe.php': probe,
  'dir.php/inner.php': probe,
  'sp ace.php': probe,
  'caf\u00e9.php': probe,
  'a+b.php': probe,
  'x.php.php': probe,
  'probe.php.bak': probe,
  'config.inc': probe,
  'old.phtml': probe,
  '.hidden/probe.php': probe,
  '.well-known/probe.php': probe,
  'echo.php': `readfile('php://input');`,
  'length.php': `echo strlen(file_get_contents('php://input'));`,
  'unread.php': `echo 'not read';`,
};

export function source(php: string): string {
  return `<?php /* ${SECRET} */\n${php}\n`;
}
