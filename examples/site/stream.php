<?php
declare(strict_types=1);
require __DIR__ . '/inc/site.php';

const STEPS = 12;

/** Sends what there is so far, past every buffer of PHP's. */
function send(): void
{
    while (ob_get_level() > 0) {
        ob_end_flush();
    }
    flush();
}

$begin = microtime(true);
page_start('Stream', 'PHP writes this page in twelve pieces, a quarter of a second apart. Each is in your browser before the next is written.');
echo '<ol class="stream">';
send();
for ($step = 1; $step <= STEPS; $step++) {
    if ($step > 1) {
        usleep(250_000);
    }
    $ms = (int) round((microtime(true) - $begin) * 1000);
    printf('<li><span>Piece %d</span><small>written after %s ms</small></li>' . "\n", $step, number_format($ms));
    send();
}
echo '</ol><p><a class="button" href="/stream.php">Once more</a></p>';
page_end();
