<?php
declare(strict_types=1);
require __DIR__ . '/inc/site.php';

const KINDS = [
    'line' => 'a line of its own',
    'warning' => 'a warning',
    'exception' => 'an exception that nobody catches',
];

/** Says what was done. The words that go to the log are ours: a visitor could write there what looks like another line. */
function write_to_log(string $kind): void
{
    match ($kind) {
        'line' => error_log('The demo says hello'),
        'warning' => trigger_error('The demo warns', E_USER_WARNING),
        'exception' => throw new RuntimeException('The demo gave up'),
    };
}

function page(string $result): void
{
    page_start('Log', 'What PHP complains of is shown where the server was started, with the request, the file and the line.');
    echo $result;
    ?>
<form method="post" action="/log.php" class="row">
  <?= token_field() ?>
  <label>PHP writes
    <select name="kind"><?php foreach (KINDS as $kind => $words): ?><option value="<?= e($kind) ?>"><?= e($words) ?><?php endforeach ?></select>
  </label>
  <button>Write it</button>
</form>
<p class="hint">Each request is a line there, too: in the format that nginx calls combined, or as JSON with <code>--log-format json</code>.</p>
<?php
    page_end();
}

start_session();
session_write_close();
$kind = field('kind');
if (method() !== 'POST') {
    page('');
} elseif (!token_matches()) {
    page(notice('error', 'This form did not come from this site, or your session has ended. Please send it again.'));
} elseif (!isset(KINDS[$kind])) {
    http_response_code(422);
    page(notice('error', 'Please choose what PHP is to write.'));
} else {
    // PHP ends at an exception: what comes then is the last that it can say
    register_shutdown_function(static function () use ($kind): void {
        $words = $kind === 'exception' ? 'PHP has ended with ' : 'PHP has written ';
        page(notice($kind === 'exception' ? 'error' : 'good', $words . e(KINDS[$kind]) . ': see the terminal in which the server runs.'));
    });
    write_to_log($kind);
}
