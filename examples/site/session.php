<?php
declare(strict_types=1);
require __DIR__ . '/inc/site.php';

start_session();
$error = '';
$notes = $_SESSION['notes'] ?? [];
if (method() === 'POST') {
    $note = field('note', 200);
    if (!token_matches()) {
        $error = 'This form did not come from this site, or your session has ended. Please send it again.';
    } elseif (isset($_POST['clear'])) {
        unset($_SESSION['notes']);
        see_other('/session.php');
    } elseif ($note === '') {
        http_response_code(422);
        $error = 'Please write something.';
    } else {
        $_SESSION['notes'] = array_slice([...$notes, ['text' => $note, 'time' => time(), 'worker' => getmypid()]], -10);
        see_other('/session.php');
    }
}
// Other requests of the same visitor wait until the session is released.
session_write_close();

page_start('Session', 'PHP remembers your notes between requests, whichever worker serves them.');
echo $error === '' ? '' : notice('error', e($error));
?>
<form method="post" action="/session.php" class="stack">
  <?= token_field() ?>
  <label for="note">A note</label>
  <div class="row"><input id="note" name="note" maxlength="200" required autocomplete="off"><button>Keep it</button></div>
</form>
<?php if ($notes === []): ?>
<p class="empty">No notes yet.</p>
<?php else: ?>
<ol class="notes">
<?php foreach ($notes as $note): ?>
  <li><span><?= e($note['text']) ?></span><small><?= e(gmdate('H:i:s', $note['time'])) ?> UTC, worker <?= e($note['worker']) ?></small></li>
<?php endforeach ?>
</ol>
<form method="post" action="/session.php"><?= token_field() ?><button class="plain" name="clear" value="1">Forget all</button></form>
<?php endif;
page_end();
