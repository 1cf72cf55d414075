<?php
declare(strict_types=1);
require __DIR__ . '/inc/site.php';

$options = ['path' => '/cookie.php', 'httponly' => true, 'samesite' => 'Lax'];
if (method() === 'POST') {
    foreach (['visits', 'last'] as $name) {
        setcookie($name, '', ['expires' => 1] + $options);
    }
    see_other('/cookie.php');
}

$known = $_COOKIE['visits'] ?? '';
$visits = is_string($known) && ctype_digit($known) ? min((int) $known, 9998) + 1 : 1;
$last = $_COOKIE['last'] ?? '';
$lastTime = is_string($last) && ctype_digit($last) ? gmdate('H:i:s', (int) $last) . ' UTC' : 'never';
// Two headers of one name: a gateway that joins them would lose the second cookie.
setcookie('visits', (string) $visits, ['expires' => time() + 86400] + $options);
setcookie('last', (string) time(), ['expires' => time() + 86400] + $options);

page_start('Cookie', 'Two Set-Cookie headers in each response; your browser sends both back.');
echo facts(['Visits to this page' => $visits, 'The one before' => $lastTime, 'Cookies your browser sent' => count($_COOKIE)]);
?>
<div class="row">
  <a class="button" href="/cookie.php">Visit again</a>
  <form method="post" action="/cookie.php"><button class="plain">Forget me</button></form>
</div>
<?php
page_end();
