<?php
// PHP, for php-cgi. See ../support/task.ts.
[$what, $id] = explode('-', $_SERVER['QUERY_STRING'], 2);
file_put_contents($_SERVER['RUNS_LOG'], "$id\n", FILE_APPEND);
if ($what === 'die') posix_kill(getmypid(), 9);
header('Content-Type: text/plain');
echo $what === 'echo' ? file_get_contents('php://input') : $id;
