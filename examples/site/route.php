<?php
declare(strict_types=1);
require __DIR__ . '/inc/site.php';

$info = $_SERVER['PATH_INFO'] ?? '';
$parts = array_values(array_filter(explode('/', $info), fn (string $part): bool => $part !== ''));

$answer = match (true) {
    $parts === [] => 'Add a path behind route.php.',
    $parts[0] === 'hello' => 'Hello, ' . ($parts[1] ?? 'stranger') . '!',
    $parts[0] === 'sum' => 'The sum is ' . array_sum(array_map('floatval', array_slice($parts, 1))) . '.',
    default => null,
};
if ($answer === null) {
    http_response_code(404);
}

page_start('Routes', 'One script answers every path behind it, as the front controller of a framework does.');
echo $answer === null ? notice('error', 'No route begins with “' . e($parts[0]) . '”: status 404.') : '<p class="answer">' . e($answer) . '</p>';
echo facts([
    'REQUEST_URI' => $_SERVER['REQUEST_URI'] ?? '',
    'SCRIPT_NAME' => $_SERVER['SCRIPT_NAME'] ?? '',
    'PATH_INFO' => $info === '' ? '(empty)' : $info,
    'QUERY_STRING' => ($_SERVER['QUERY_STRING'] ?? '') === '' ? '(empty)' : $_SERVER['QUERY_STRING'],
]);
?>
<h2>Try</h2>
<ul>
  <li><a href="/route.php/hello/world">/route.php/hello/world</a></li>
  <li><a href="/route.php/hello/J%C3%BCrgen%20%26%20co?lang=de">/route.php/hello/J%C3%BCrgen%20%26%20co?lang=de</a></li>
  <li><a href="/route.php/sum/1/2/39">/route.php/sum/1/2/39</a></li>
  <li><a href="/route.php/nowhere">/route.php/nowhere</a></li>
</ul>
<?php
page_end();
