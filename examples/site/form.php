<?php
declare(strict_types=1);
require __DIR__ . '/inc/site.php';

start_session();
$message = '';
$name = field('name', 80);
$text = field('text');
if (method() === 'POST') {
    if (!token_matches()) {
        $message = notice('error', 'This form did not come from this site, or your session has ended. Please send it again.');
    } elseif ($name === '' || $text === '') {
        http_response_code(422);
        $message = notice('error', 'Please fill in both fields.');
    } else {
        $length = (int) ($_SERVER['CONTENT_LENGTH'] ?? 0);
        $message = notice('good', 'PHP received ' . e($length) . ' bytes, ran once, and writes back what it got:')
            . '<figure class="quote"><blockquote>' . nl2br(e($text)) . '</blockquote><figcaption>' . e($name) . '</figcaption></figure>';
        $text = '';
    }
}

page_start('Form', 'A POST is sent once. If its connection turns out to be closed, it goes out again only where PHP provably never saw it.');
echo $message;
?>
<form method="post" action="/form.php" class="stack">
  <?= token_field() ?>
  <label for="name">Your name</label>
  <input id="name" name="name" maxlength="80" autocomplete="name" required value="<?= e($name) ?>">
  <label for="text">A message</label>
  <textarea id="text" name="text" rows="5" maxlength="2000" required aria-describedby="text-hint"><?= e($text) ?></textarea>
  <p class="hint" id="text-hint">Any characters: ü, 漢字, 🚀, even &lt;script&gt;. It comes back as text.</p>
  <button>Send</button>
</form>
<?php
page_end();
