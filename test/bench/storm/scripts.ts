/** The PHP side: each script notes its number before it does anything else, so that "ran once" is a count. */

export const SCRIPTS = ['echo.php', 'die.php', 'tail.php'] as const;
export type Script = (typeof SCRIPTS)[number];

/** Seconds that tail.php goes on for after its answer. */
export const TAIL = 2;

/** `log`: where the numbers go, a line each in one O_APPEND write. `work`: ms that echo.php takes. */
export function scripts(log: string, work: number): Record<Script, string> {
  const begin = `<?php
$id = (int) $_GET['id'];
file_put_contents('${log}', "$id\\n", FILE_APPEND);
`;
  return {
    'echo.php': `${begin}
$said = $id;
$text = '';
if (isset($_FILES['file'])) {
    $said = $_POST['id'];
    $text = file_get_contents($_FILES['file']['tmp_name']);
} elseif ($_POST) {
    $said = $_POST['id'];
    $text = $_POST['text'];
} elseif ($_SERVER['REQUEST_METHOD'] !== 'GET') {
    ['id' => $said, 'text' => $text] = json_decode(file_get_contents('php://input'), true);
}
usleep(${Math.round(work * 1000)});
echo $id, ' ', $said, ' ', strlen($text), ' ', hash('crc32b', $text);
`,
    'die.php': `${begin}
function_exists('posix_kill') ? posix_kill(getmypid(), 9) : exec('kill -9 ' . getmypid());
`,
    'tail.php': `${begin}
echo $id, ' ', $id, ' 0 00000000';
fastcgi_finish_request();
sleep(${TAIL});
`,
  };
}
